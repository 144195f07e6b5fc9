// From an introduction to a conversation, on the side that asked: straight to the other device where both allow it, else
// through the server's relay.
import type { Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import { channelOver, dialPeerAt, securedBy } from "../../../rpc/peers/peer-dial.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { openConverse } from "../conversation/converse.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import { openRelay } from "./relay-stream.ts";

/** The way that a conversation takes. */
export type Path = "direct" | "relayed";

/** How long the direct path may take to stand before the relay is taken, ms. */
const DIRECT_MS = 3_000;
const RELAY_MS = 15_000;
/** As many addresses as the contract allows: more are not dialled. */
const MOST_ADDRESSES = 17;

export interface ConnectPeerOptions {
  readonly calls: PrivateCalls;
  readonly own: Certificate;
  readonly introduction: Introduction;
  /** The fingerprint of the other device's key. */
  readonly peer: string;
  readonly opening: Opening;
  readonly signal: AbortSignal;
}

export interface ConnectedPeer {
  readonly stream: SignalStream;
  readonly path: Path;
}

/** @throws ConnectError where no path leads there; RpcError where the server or the peer refuses */
export async function connectPeer(reaching: ConnectPeerOptions): Promise<ConnectedPeer> {
  const { introduction } = reaching;
  if (introduction.direct && introduction.addresses.length > 0) {
    try {
      return { stream: await reachDirectly(reaching), path: "direct" };
    } catch (error) {
      // Lost before anything was said: the relay may do. A refusal of the peer stands.
      const isLost = error instanceof RpcError && error.reason === "";
      if (!(error instanceof ConnectError || isLost)) throw error;
    }
  }
  return { stream: await reachThroughServer(reaching), path: "relayed" };
}

async function reachDirectly({
  own,
  peer,
  introduction,
  opening,
  signal,
}: ConnectPeerOptions): Promise<SignalStream> {
  const addresses = introduction.addresses.slice(0, MOST_ADDRESSES);
  const socket = await dialPeerAt(addresses, { own, peer, timeoutMs: DIRECT_MS, signal });
  return openConverse(await channelOver(socket), opening, signal);
}

async function reachThroughServer({
  calls,
  own,
  peer,
  introduction,
  opening,
  signal,
}: ConnectPeerOptions): Promise<SignalStream> {
  const relay = await openRelay(await calls.endpoint.connect(), {
    introductionId: introduction.introductionId,
    token: calls.token,
    timeoutMs: RELAY_MS,
    signal,
  });
  const socket = await securedBy(relay, "The other device", { own, peer, timeoutMs: RELAY_MS, signal });
  return openConverse(await channelOver(socket), opening, signal);
}
