// Calling one who is known beforehand by the key: mutual TLS over any stream of bytes, pinned on both sides, and a channel
// over that one connection.
import { connect as connectTcp, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { channelOptions, type Dialled, dialledOver } from "../dialling/dial.ts";
import type { Certificate } from "../listening/server-credentials.ts";
import { parseAddress } from "../network/address.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { type OwnSocket, ownSocket } from "../network/own-socket.ts";
import { ConnectError } from "../status/connect-error.ts";
import { type PeerConnection, peerLimits, watched } from "./peer-listener.ts";

export interface PeerDialOptions {
  /** This side's key, in any certificate around it. */
  readonly own: Certificate;
  /** The fingerprint of the key that the peer has to prove. */
  readonly peer: string;
  /** How long it may take until the peer has proved that, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Dials all addresses at once; the first one where the peer has the right key wins.
 * @throws ConnectError where there is none in time
 */
export async function dialPeerAt(addresses: readonly string[], options: PeerDialOptions): Promise<TLSSocket> {
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([over.signal, options.signal]);
  const attempts = addresses.map(async (address) => {
    const { host, port } = parseAddress(address);
    return securedBy(connectTcp({ host, port, noDelay: true }), address, { ...options, signal });
  });
  try {
    const winner = await Promise.any(attempts);
    over.abort();
    // Another one may have stood in the same moment.
    for (const attempt of attempts) {
      attempt.then(
        (socket) => (socket === winner ? undefined : socket.destroy()),
        () => undefined,
      );
    }
    return winner;
  } catch (error) {
    const causes = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    const wrongKey = causes.find(
      (cause) => cause instanceof ConnectError && cause.kind === "fingerprint-mismatch",
    );
    if (wrongKey instanceof ConnectError) throw wrongKey;
    throw new ConnectError({
      kind: "unreachable",
      message: "None of the other device's addresses can be reached from here.",
      cause: error,
    });
  }
}

/**
 * Mutual TLS over a stream of bytes, which is destroyed where that fails.
 * @throws ConnectError
 */
export async function securedBy(
  stream: Duplex,
  name: string,
  { own, peer, timeoutMs, signal }: PeerDialOptions,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connectTls({
    socket: stream,
    key: own.key,
    cert: own.cert,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["h2"],
    // No authority vouches for a peer: the handshake proves the key, and the key is looked at before a byte is sent.
    rejectUnauthorized: false,
  });
  const fail = (kind: "unreachable" | "timeout", message: string, cause?: unknown): void =>
    reject(new ConnectError({ kind, message, cause }));
  socket.once("secureConnect", resolve);
  for (const end of [stream, socket]) {
    end.on("error", (error: Error) =>
      fail("unreachable", `${name} cannot be reached: ${error.message}.`, error),
    );
    end.once("close", () => fail("unreachable", `${name} hung up.`));
  }
  const timer = setTimeout(() => fail("timeout", `${name} did not answer in ${timeoutMs} ms.`), timeoutMs);
  const abort = (): void => fail("unreachable", "It was given up.");
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  try {
    await promise;
    const certificate = socket.getPeerX509Certificate();
    const found = certificate === undefined ? "none" : fingerprint(certificate);
    if (found !== peer || socket.alpnProtocol !== "h2") {
      const message = `${name} does not have the key of the device that was introduced: expected ${peer}, found ${found}.`;
      throw new ConnectError({ kind: "fingerprint-mismatch", message, expected: peer, found });
    }
    return socket;
  } catch (error) {
    socket.destroy();
    stream.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** A channel over one connection. */
export interface PeerChannel extends Dialled, PeerConnection {}

/**
 * A channel over one connection that stands: when that is lost, so is the channel. Dispose of it to end both.
 *
 * grpc-js connects by itself and to names only, so it is given one: a socket of the operating system that only this user
 * can enter, which takes one connection and is gone.
 */
export async function channelOver(socket: TLSSocket): Promise<PeerChannel> {
  const connection = watched(socket);
  const own: OwnSocket = await ownSocket().catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  const server = createServer((local: Socket) => {
    server.close();
    bridge(socket, local);
  });
  server.maxConnections = 1;
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(own.path, resolve);
    await promise;
    const dialled = dialledOver({
      address: "peer",
      target: `unix:${own.path}`,
      credentials: credentials.createInsecure(),
      channelOptions: channelOptions({
        keepalive: { timeMs: peerLimits.keepaliveMs, timeoutMs: peerLimits.keepaliveTimeoutMs },
        responseBytes: peerLimits.messageBytes,
      }),
      diagnose: () =>
        Promise.resolve(new ConnectError({ kind: "unreachable", message: "The other device hung up." })),
    });
    try {
      await dialled.ready(peerLimits.handshakeMs);
    } catch (error) {
      dialled[Symbol.dispose]();
      throw error;
    }
    return {
      ...dialled,
      client: dialled.client,
      get broken() {
        return connection.broken;
      },
      [Symbol.dispose]: () => {
        dialled[Symbol.dispose]();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    server.close();
    await own[Symbol.asyncDispose]();
  }
}

/** Hands the bytes of each to the other; however one of the two ends, so does the other. */
function bridge(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => undefined);
    from.once("close", () => to.destroy());
    if (from.destroyed) to.destroy();
    from.pipe(to);
  }
}
