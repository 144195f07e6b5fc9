// Serves callers whose keys are known: mutual TLS, pinned on both sides, with separate services for each connection.
// Other callers are cut before HTTP/2.
import { constants, type X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { systemClock } from "../../time/clock.ts";
import type { Service } from "../calls/handler.ts";
import { IncomingCalls, type IncomingConnection } from "../calls/incoming-calls.ts";
import { REFUSALS_AT_ONCE, RefusalPace } from "../calls/refusal-pace.ts";
import { Budget, UnfinishedRequests } from "../calls/unfinished-requests.ts";
import { setHttp2Options } from "../grpc-js-internals.ts";
import { type Bound, bind, ListenError } from "../listening/bind.ts";
import { OverheadMeter, overheadLimits } from "../listening/overhead.ts";
import { type Certificate, http2Limits } from "../listening/server-credentials.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { CallerConnections } from "./caller-connections.ts";

const KiB = 1024;

export const peerLimits = {
  /** The most open connections that have proved their key. */
  connections: 64,
  /** The most connections in their handshake; the newest takes the place of the oldest. */
  handshakes: 64,
  /**
   * The most of them from one address, which several callers may share, as behind a router or on one machine. A caller
   * dials at most eight addresses in parallel.
   */
  handshakesPerAddress: 32,
  /**
   * The most open connections of one key. It is not 1, because a caller dials all addresses in parallel and keeps the
   * first connection.
   */
  connectionsPerKey: 8,
  handshakeMs: 5_000,
  /** The most open calls of one connection. */
  concurrentStreams: 4,
  /** The longest message, bytes. */
  messageBytes: 128 * KiB,
  /** Requests that have not arrived completely: see UnfinishedLimits. */
  requestMs: 15_000,
  connectionBytes: 1024 * KiB,
  addressBytes: 1024 * KiB,
  totalBytes: 16 * 1024 * KiB,
  /** How long a caller may take to end its side of an answered call, ms. */
  resetMs: 2_000,
  /** How long a connection without a call stays open, ms. */
  idleMs: 20_000,
  /** How long a connection that is being ended waits for its calls, ms. This is as long as an ended call lingers. */
  endMs: 10_000,
  /** The time between pings, and how long the answer may take, ms. A dead peer is detected within 25 s. */
  keepaliveMs: 15_000,
  keepaliveTimeoutMs: 10_000,
} as const;

/** The state of the connection that a service is called over. */
export interface PeerConnection {
  /** The error that broke the connection; undefined while it is open or if it was closed without an error. */
  readonly broken: Error | undefined;
}

/** The connection of a caller. */
export interface CallerConnection extends PeerConnection {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  /**
   * Accepts no more calls. The connection closes when the open calls have ended, after `peerLimits.endMs` at the
   * latest.
   */
  end(): void;
}

/** Records the error that breaks a connection, since gRPC only reports that the connection was lost. */
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
   * Called after a caller has proved that it has the key with this fingerprint. Returns the services for this caller,
   * or undefined to cut the connection.
   */
  admit(fingerprint: string, connection: CallerConnection): readonly Service[] | undefined;
}

/** Where a listener listens, until it is disposed of. Connections that callers have made stay open. */
export interface Listening extends Disposable {
  readonly port: number;
  /** The hosts that were asked for, without those that the machine does not have. */
  readonly hosts: readonly string[];
}

export interface PeerListener extends AsyncDisposable {
  /**
   * Listens on these hosts, on one port.
   * @param port 0 for any free one
   * @throws ListenError if no host can be used
   */
  listen(hosts: readonly string[], port: number): Promise<Listening>;
  /** Serves the caller at the other end of a stream of bytes. */
  accept(stream: Duplex): void;
}

/** Serves callers at the addresses of `listen`, and those that are passed to `accept`. It does not listen by itself. */
export function servePeers(options: PeerListenerOptions): PeerListener {
  const connections = new CallerConnections(peerLimits);
  const unfinished = new UnfinishedRequests(peerLimits);
  const hosted = new Set<Host>();
  const listening = new Set<Listening>();
  // No session ticket is accepted, because a resumed TLS session has the identity of the first one without a proof of the
  // key. With TLS 1.3 Node.js sends tickets nevertheless.
  const server = createServer({
    key: options.own.key,
    cert: options.own.cert,
    minVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ["h2"],
    requestCert: true,
    // No authority has signed a peer's certificate. The listener of "secureConnection" checks the key.
    rejectUnauthorized: false,
    handshakeTimeout: peerLimits.handshakeMs,
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket: TLSSocket) => {
    connections.proved(socket);
    const key = provedKey(socket);
    const ofKey = [...hosted].filter((host) => host.key === key).length;
    if (key === undefined || ofKey >= peerLimits.connectionsPerKey || hosted.size >= peerLimits.connections) {
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
    host.serve(services, unfinished);
  });
  const accept = (stream: Duplex): void => {
    stream.on("error", () => undefined);
    server.emit("connection", stream);
  };
  const onConnection = (socket: Socket): void => {
    connections.admit(socket);
    accept(socket);
  };
  return {
    listen: async (hosts, port) => {
      const one = await listenOn(hosts, port, onConnection);
      listening.add(one);
      return one;
    },
    accept,
    [Symbol.asyncDispose]: async () => {
      for (const one of listening) one[Symbol.dispose]();
      for (const host of hosted) host[Symbol.dispose]();
      connections.cutAll();
      await connections.whenEmpty();
      unfinished[Symbol.dispose]();
    },
  };
}

/** Listens on each host that can be used. @throws ListenError if there is none */
async function listenOn(
  hosts: readonly string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Listening> {
  const bound: Bound[] = [];
  const used: string[] = [];
  let problem: ListenError | undefined;
  for (const host of hosts) {
    try {
      bound.push(await bind(host, bound[0]?.port ?? port, onConnection));
      used.push(host);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      problem ??= error;
    }
  }
  const [first] = bound;
  if (first === undefined)
    throw (
      problem ?? new ListenError("UNKNOWN", "This machine has no address that others can reach.", undefined)
    );
  const close = (): void => {
    for (const { servers } of bound) for (const server of servers) server.close();
  };
  return { port: first.port, hosts: used, [Symbol.dispose]: close };
}

/** The fingerprint of the caller's key; undefined if it has none, or does not speak HTTP/2. */
function provedKey(socket: TLSSocket): string | undefined {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  return certificate === undefined || socket.alpnProtocol !== "h2" ? undefined : fingerprint(certificate);
}

/** One connection with a gRPC server of its own, so that the caller of every call is known. */
class Host implements CallerConnection, Disposable {
  readonly key: string;
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #watched: PeerConnection;
  #server: Server | undefined;
  #injector: ReturnType<Server["createConnectionInjector"]> | undefined;
  #ending: NodeJS.Timeout | undefined;
  #sampling: NodeJS.Timeout | undefined;

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

  serve(services: readonly Service[], unfinished: UnfinishedRequests): void {
    const connection = {
      budgets: [new Budget(peerLimits.connectionBytes)],
      deliveredBytes: 0,
      refusals: RefusalPace.ofConnection(REFUSALS_AT_ONCE),
    };
    this.#watchOverhead(connection);
    const incoming = new IncomingCalls({
      bounds: new Map(services.flatMap(({ bounds }) => [...bounds])),
      unfinished,
      connectionOf: () => connection,
      clock: systemClock,
      resetMs: peerLimits.resetMs,
    });
    this.#server = new Server({
      interceptors: [incoming.interceptor],
      "grpc.max_concurrent_streams": peerLimits.concurrentStreams,
      "grpc.max_send_message_length": peerLimits.messageBytes,
      "grpc.max_connection_idle_ms": peerLimits.idleMs,
      "grpc.keepalive_time_ms": peerLimits.keepaliveMs,
      "grpc.keepalive_timeout_ms": peerLimits.keepaliveTimeoutMs,
      "grpc.enable_channelz": 0,
    });
    setHttp2Options(this.#server, http2Limits);
    for (const service of services) {
      this.#server.addService(service.definition, service.implementation);
      service.useCut(() => this.#socket.destroy());
    }
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    incoming.inspect(this.#server);
    this.#injector.injectConnection(this.#socket);
  }

  /** Cuts the connection if the caller sends mostly overhead. */
  #watchOverhead(connection: IncomingConnection): void {
    const meter = new OverheadMeter();
    this.#sampling = setInterval(() => {
      const { bytesRead, bytesWritten } = this.#socket;
      const counts = { read: bytesRead, written: bytesWritten, delivered: connection.deliveredBytes };
      if (meter.sample(counts)) this.#socket.destroy();
    }, overheadLimits.everyMs).unref();
  }

  end(): void {
    if (this.#ending !== undefined || this.#socket.destroyed) return;
    // Draining does not close a connection that the peer keeps open.
    this.#injector?.drain(peerLimits.endMs);
    this.#ending = setTimeout(() => this.#socket.destroy(), peerLimits.endMs);
    this.#ending.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#ending);
    clearInterval(this.#sampling);
    this.#socket.destroy();
    this.#injector?.destroy();
    this.#server?.forceShutdown();
  }
}
