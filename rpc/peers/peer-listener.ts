// Serving single callers who are known beforehand by their keys: mutual TLS, pinned on both sides, and each connection
// with services of its own. Nobody else gets as far as HTTP/2.
import { constants, type X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Service } from "../calls/handler.ts";
import { bind } from "../listening/bind.ts";
import { Connections } from "../listening/connections.ts";
import type { Certificate } from "../listening/server-credentials.ts";
import { fingerprint } from "../network/fingerprint.ts";

const KiB = 1024;

export const peerLimits = {
  /** Open connections in all, those in their handshake included, and from one address. */
  connections: 64,
  connectionsPerAddress: 8,
  /** Open connections of one key: a caller tries all addresses at once, and keeps the first that stands. */
  connectionsPerKey: 8,
  handshakeMs: 5_000,
  /** Open calls of one connection. */
  concurrentStreams: 4,
  /** One message, bytes; inflation of a compressed one is cut here as well. */
  messageBytes: 128 * KiB,
  /** A connection without a call is closed after this, ms. */
  idleMs: 20_000,
  /** How long a connection that is to end waits for the last that is on its way, ms: as long as a call does. */
  endMs: 10_000,
  /** A ping after so long, ms, and how long its answer may take: a dead peer is noticed in 25 s. */
  keepaliveMs: 15_000,
  keepaliveTimeoutMs: 10_000,
} as const;

/** What a service may know of the connection that it is called over. */
export interface PeerConnection {
  /** What it broke with; undefined while it stands, and where it ended in order. */
  readonly broken: Error | undefined;
}

/** A connection of one who calls. */
export interface CallerConnection extends PeerConnection {
  /** Settles when it is closed. */
  readonly closed: Promise<void>;
  /** No call is taken any more: it is closed once those under way have ended, or after a while. */
  end(): void;
}

/** Watches a connection for what breaks it: gRPC above it only learns that it is gone. */
export function watched(socket: TLSSocket): PeerConnection {
  let broken: Error | undefined;
  socket.on("error", (error: Error) => {
    broken ??= error;
  });
  return {
    get broken() {
      return broken;
    },
  };
}

export interface PeerListenerOptions {
  /** This side's key, in any certificate around it. */
  readonly own: Certificate;
  /**
   * Asked once the caller has proved to have the key of this fingerprint: what that one may call; undefined: nothing,
   * and the connection is cut.
   */
  admit(fingerprint: string, connection: CallerConnection): readonly Service[] | undefined;
}

export interface PeerListener extends AsyncDisposable {
  /** The real port; undefined where it does not listen by itself. */
  readonly port: number | undefined;
  /** Serves a caller at the other end of any stream of bytes. */
  accept(stream: Duplex): void;
}

/**
 * @param address where to listen; undefined: only `accept` brings callers
 * @throws ListenError where the host or port cannot be used
 */
export async function listenForPeers(
  options: PeerListenerOptions,
  address: { readonly host: string; readonly port: number } | undefined,
): Promise<PeerListener> {
  const connections = new Connections(peerLimits);
  const hosted = new Set<Host>();
  // A resumed session would carry the identity of the first one without its key: so there are no tickets.
  const server = createServer({
    key: options.own.key,
    cert: options.own.cert,
    minVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ["h2"],
    requestCert: true,
    // No authority vouches for a peer: the key is what counts, and it is looked at below.
    rejectUnauthorized: false,
    handshakeTimeout: peerLimits.handshakeMs,
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket: TLSSocket) => {
    const key = provedKey(socket);
    const ofKey = [...hosted].filter((host) => host.key === key).length;
    if (key === undefined || ofKey >= peerLimits.connectionsPerKey) {
      socket.destroy();
      return;
    }
    const host = new Host(socket, key);
    const services = options.admit(key, host);
    if (services === undefined) {
      socket.destroy();
      return;
    }
    hosted.add(host);
    void host.closed.then(() => hosted.delete(host));
    host.serve(services);
  });
  const accept = (stream: Duplex): void => {
    stream.on("error", () => undefined);
    server.emit("connection", stream);
  };
  const bound =
    address &&
    (await bind(address.host, address.port, (socket) => {
      if (connections.admit(socket)) accept(socket);
    }));
  return {
    port: bound?.port,
    accept,
    [Symbol.asyncDispose]: async () => {
      for (const listening of bound?.servers ?? []) listening.close();
      for (const host of hosted) host[Symbol.dispose]();
      connections.cutAll();
      await connections.whenEmpty();
    },
  };
}

/** The fingerprint of the caller's key; undefined where there is none, or it does not speak HTTP/2. */
function provedKey(socket: TLSSocket): string | undefined {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  return certificate === undefined || socket.alpnProtocol !== "h2" ? undefined : fingerprint(certificate);
}

/** One connection, with a server of its own: whatever is called there, it is known by whom. */
class Host implements CallerConnection, Disposable {
  readonly key: string;
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #watched: PeerConnection;
  #server: Server | undefined;
  #injector: ReturnType<Server["createConnectionInjector"]> | undefined;
  #ending: NodeJS.Timeout | undefined;

  constructor(socket: TLSSocket, key: string) {
    this.key = key;
    this.#socket = socket;
    this.#watched = watched(socket);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.once("close", () => {
      this[Symbol.dispose]();
      resolve();
    });
  }

  get broken(): Error | undefined {
    return this.#watched.broken;
  }

  serve(services: readonly Service[]): void {
    this.#server = new Server({
      "grpc.max_concurrent_streams": peerLimits.concurrentStreams,
      "grpc.max_receive_message_length": peerLimits.messageBytes,
      "grpc.max_send_message_length": peerLimits.messageBytes,
      "grpc.max_connection_idle_ms": peerLimits.idleMs,
      "grpc.keepalive_time_ms": peerLimits.keepaliveMs,
      "grpc.keepalive_timeout_ms": peerLimits.keepaliveTimeoutMs,
      "grpc.enable_channelz": 0,
    });
    for (const service of services) {
      this.#server.addService(service.definition, service.implementation);
      service.useCut(() => this.#socket.destroy());
    }
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#injector.injectConnection(this.#socket);
  }

  end(): void {
    if (this.#ending !== undefined || this.#socket.destroyed) return;
    // By itself this leaves open what the other end does not close.
    this.#injector?.drain(peerLimits.endMs);
    this.#ending = setTimeout(() => this.#socket.destroy(), peerLimits.endMs);
    this.#ending.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#ending);
    this.#socket.destroy();
    this.#injector?.destroy();
    this.#server?.forceShutdown();
  }
}
