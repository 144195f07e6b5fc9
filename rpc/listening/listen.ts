// Serving: services on a port, with limits that hold against hostile peers, and a stop that ends in time.
import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Service } from "../calls/handler.ts";
import { refuseUnknownMethods } from "../calls/unknown-method.ts";
import { bind } from "./bind.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { type Certificate, TlsServerCredentials } from "./server-credentials.ts";

export { ListenError } from "./bind.ts";
export type { Certificate } from "./server-credentials.ts";

const KiB = 1024;

const defaultLimits = {
  connections: 20_000,
  connectionsPerAddress: 1_000,
  /**
   * Open calls of one connection. A client holds few streams, but its unary calls share the connection, and so may
   * several programs behind one proxy; each open call costs some 10 KiB.
   */
  concurrentStreams: 128,
  /** One request message, bytes; inflation of a compressed one is cut here as well. */
  requestBytes: 256 * KiB,
  /** One response message, bytes: what clients take by default. */
  responseBytes: 4096 * KiB,
  /** A connection without calls is closed after this, ms; it also ends those that never speak. */
  idleMs: 60_000,
  /** A ping after so long, ms, and how long its answer may take: half-open connections are found in 30 s. */
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
};

/** Every limit of a listener. */
export type ListenerLimits = ConnectionLimits & Readonly<typeof defaultLimits>;

export interface ListenOptions {
  /** An IPv4 or IPv6 address (without brackets), or a name; every address of a name is listened on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Without it connections are not encrypted. */
  readonly tls?: Certificate;
  readonly services: readonly Service[];
  readonly limits?: Partial<ListenerLimits>;
}

export interface Listener extends AsyncDisposable {
  readonly host: string;
  /** The real port. */
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** New connections use it, open ones stay. @throws Error where it is unusable, the old one stays; without TLS */
  replaceCertificate(certificate: Certificate): void;
  /** Ends the connection whose far end is at this address and port (CallContext.peer), if there is one. */
  cut(peer: string): void;
  /**
   * Takes no more connections, tells the peers to open no more calls, gives the open calls this long to end, and then
   * cuts every connection. Resolves when none is left, soon after `graceMs` at the latest. A second call shortens
   * nothing and waits with the first.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** @throws ListenError where the host or port cannot be used; Error where the certificate cannot */
export async function listen(options: ListenOptions): Promise<Listener> {
  const limits = { ...defaultLimits, ...options.limits };
  const tls = options.tls && new TlsServerCredentials(options.tls);
  const server = new Server({
    "grpc.max_concurrent_streams": limits.concurrentStreams,
    "grpc.max_receive_message_length": limits.requestBytes,
    "grpc.max_send_message_length": limits.responseBytes,
    "grpc.max_connection_idle_ms": limits.idleMs,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Only needed by forceShutdown, which is not: the sockets are ours. It would cost memory per connection.
    "grpc.enable_channelz": 0,
  });
  const connections = new Connections(limits);
  for (const { definition, implementation } of options.services)
    server.addService(definition, implementation);
  for (const { useCut } of [...options.services, refuseUnknownMethods(server)]) {
    useCut((peer) => connections.cut(peer));
  }
  // The sockets are opened here and handed in, rather than bound by grpc-js: so they can be counted, limited and, where
  // nothing else helps, cut.
  const injector = server.createConnectionInjector(tls ?? ServerCredentials.createInsecure());
  const { port, servers } = await bind(options.host, options.port, (socket: Socket) => {
    if (connections.admit(socket)) injector.injectConnection(socket);
  });

  let stopping: Promise<void> | undefined;
  const stop = async (graceMs: number): Promise<void> => {
    for (const listening of servers) listening.close();
    // Its own cut comes later than ours: it would reset the calls, which a client sees as CANCELLED rather than as a
    // lost connection.
    injector.drain(graceMs + 1_000);
    const late = setTimeout(() => connections.cutAll(), graceMs);
    await connections.whenEmpty();
    clearTimeout(late);
    injector.destroy();
    server.forceShutdown();
  };
  const listener: Listener = {
    host: options.host,
    port,
    get connections() {
      return connections.count;
    },
    replaceCertificate: (certificate) => {
      if (tls === undefined) throw new Error("A listener without TLS has no certificate to replace.");
      tls.replace(certificate);
    },
    cut: (peer) => connections.cut(peer),
    stop: ({ graceMs }) => {
      stopping ??= stop(graceMs);
      return stopping;
    },
    [Symbol.asyncDispose]: () => listener.stop({ graceMs: 0 }),
  };
  return listener;
}
