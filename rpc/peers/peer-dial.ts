// Connects to a peer whose key is known: mutual TLS over any stream of bytes, pinned on both sides, and a channel over
// that one connection.
import { connect as connectTcp, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { waitFor } from "../../time/wait.ts";
import { channelOptions, type Dialled, dialledOver } from "../dialling/dial.ts";
import type { Certificate } from "../listening/server-credentials.ts";
import { parseAddress } from "../network/address.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { type OwnSocket, ownSocket } from "../network/own-socket.ts";
import { ConnectError } from "../status/connect-error.ts";
import { type PeerConnection, peerLimits, watched } from "./peer-listener.ts";

export interface PeerDialOptions {
  /** This device's key, in any certificate. */
  readonly own: Certificate;
  /** The fingerprint of the key that the peer must prove to have. */
  readonly peer: string;
  /** How long it may take until the peer has proved its key, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Dials all addresses in parallel, and returns the first connection on which the peer proves its key.
 * @throws ConnectError if there is no such connection in time
 */
export async function dialPeerAt(addresses: readonly string[], options: PeerDialOptions): Promise<TLSSocket> {
  const won = new AbortController();
  const signal = options.signal === undefined ? won.signal : AbortSignal.any([won.signal, options.signal]);
  const attempts = addresses.map(async (address) => {
    const { host, port } = parseAddress(address);
    return securedBy(connectTcp({ host, port, noDelay: true }), address, { ...options, signal });
  });
  try {
    const winner = await Promise.any(attempts);
    won.abort();
    // Another connection may have been established in the meantime.
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
      message: "None of the peer's addresses can be reached.",
      cause: error,
    });
  }
}

/**
 * Opens mutual TLS over a stream of bytes; if that fails, the stream is destroyed.
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
    // No authority has signed a peer's certificate. The handshake proves the key, which is checked before anything is
    // sent.
    rejectUnauthorized: false,
  });
  const fail = (message: string, cause?: unknown): void =>
    reject(new ConnectError({ kind: "unreachable", message, cause }));
  socket.once("secureConnect", resolve);
  for (const end of [stream, socket]) {
    end.on("error", (error: Error) => fail(`${name} cannot be reached: ${error.message}.`, error));
    end.once("close", () => fail(`${name} closed the connection.`));
  }
  try {
    const { status } = await waitFor(promise, { ms: timeoutMs, signal });
    if (status === "late") {
      throw new ConnectError({ kind: "timeout", message: `${name} did not answer within ${timeoutMs} ms.` });
    }
    if (status === "aborted") {
      throw new ConnectError({ kind: "unreachable", message: "The attempt to connect was cancelled." });
    }
    const certificate = socket.getPeerX509Certificate();
    const found = certificate === undefined ? "none" : fingerprint(certificate);
    if (found !== peer || socket.alpnProtocol !== "h2") {
      const message = `${name} does not have the key of the introduced device: expected ${peer}, found ${found}.`;
      throw new ConnectError({ kind: "fingerprint-mismatch", message, expected: peer, found });
    }
    return socket;
  } catch (error) {
    socket.destroy();
    stream.destroy();
    throw error;
  }
}

/** A channel over one connection. It ends with that connection. */
export interface PeerChannel extends Dialled, PeerConnection {}

/**
 * Opens a channel over an established connection. When the connection is lost, the channel ends; dispose of it to end
 * both.
 *
 * grpc-js opens its connections itself and needs a name to connect to. It is given a local socket that only this user
 * can connect to, and that accepts one connection.
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
        Promise.resolve(
          new ConnectError({ kind: "unreachable", message: "The peer closed the connection." }),
        ),
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

/** Copies the bytes of each stream to the other. When one of them ends, the other is ended, too. */
function bridge(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    // A TLS socket stays open after an error that it found in received bytes.
    from.on("error", () => from.destroy());
    from.once("close", () => to.destroy());
    if (from.destroyed) to.destroy();
    from.pipe(to);
  }
}
