// Connects to the device that accepted a request: directly if both users allow it, otherwise through the server's
// relay.
import type { Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import { channelOver, dialPeerAt, securedBy } from "../../../rpc/peers/peer-dial.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { isLoopback } from "../../link/server/trust.ts";
import { openConverse } from "../conversation/converse.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import { addressesToDial } from "./addresses.ts";
import { openRelay } from "./relay-stream.ts";

/** The path of a connection between two devices. */
export type Path = "direct" | "relayed";

/** How long a direct connection may take before the relay is used, ms. */
const DIRECT_MS = 3_000;
const RELAY_MS = 15_000;

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

/** @throws ConnectError if no path works; RpcError if the server or the peer refuses */
export async function connectPeer(options: ConnectPeerOptions): Promise<ConnectedPeer> {
  const { introduction, calls } = options;
  const addresses = addressesToDial(introduction.addresses, isLoopback(calls.endpoint.address));
  if (introduction.direct && addresses.length > 0) {
    try {
      return { stream: await connectDirectly(options, addresses), path: "direct" };
    } catch (error) {
      // A lost connection is replaced by the relay. A refusal of the peer is final.
      const isLost = error instanceof RpcError && error.reason === "";
      if (!(error instanceof ConnectError || isLost)) throw error;
    }
  }
  return { stream: await connectThroughRelay(options), path: "relayed" };
}

async function connectDirectly(
  { own, peer, opening, signal }: ConnectPeerOptions,
  addresses: readonly string[],
): Promise<SignalStream> {
  const socket = await dialPeerAt(addresses, { own, peer, timeoutMs: DIRECT_MS, signal });
  return openConverse(await channelOver(socket), opening, signal);
}

async function connectThroughRelay({
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
