// A connection to a device that the test does not close by itself.
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { type ConverseResponse, PeerServiceClient } from "../../../gen/parley/peer/v1/peer_service.ts";
import { channelOver, dialPeerAt } from "../../../rpc/peers/peer-dial.ts";
import { fromServiceError, type RpcError } from "../../../rpc/status/status.ts";
import type { Device, Signal } from "./device.ts";

type Kind = NonNullable<Signal["kind"]>;

/** A connection of a peer that does not close it. */
export class PeerConnection {
  readonly closed: Promise<unknown>;
  readonly #channel: Awaited<ReturnType<typeof channelOver>>;

  private constructor(socket: TLSSocket, channel: Awaited<ReturnType<typeof channelOver>>) {
    this.closed = once(socket, "close");
    this.#channel = channel;
  }

  /** @throws if the device closes the connection immediately */
  static async of(to: Device, from: Device): Promise<PeerConnection> {
    const socket = await connect(to, from);
    return new PeerConnection(socket, await channelOver(socket));
  }

  /** Sends an opening on a new call. */
  converse(introductionId: string) {
    const call = this.#channel.client(PeerServiceClient).converse();
    const kinds: (Kind["$case"] | undefined)[] = [];
    const opened = Promise.withResolvers<void>();
    call.on("data", ({ signals }: ConverseResponse) => {
      kinds.push(...signals.map(({ kind }) => kind?.$case));
      opened.resolve();
    });
    const ended = new Promise<RpcError | undefined>((resolve) => {
      call.on("error", (error) => resolve(fromServiceError(error)));
      call.on("end", () => resolve(undefined));
    });
    const send = (kind: Kind): void => void call.write({ signals: [{ kind }] });
    send({ $case: "opening", value: { introductionId, clientName: "", clientVersion: "" } });
    return { kinds, opened: opened.promise, ended, send };
  }
}

/** Connects one device to another with TLS only. */
export function connect(to: Device, from: Device): Promise<TLSSocket> {
  return dialPeerAt([to.address], { own: from.own, peer: to.fingerprint, timeoutMs: 5_000 });
}
