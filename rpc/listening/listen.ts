// Serves services on a port, with limits against hostile peers, and stops in bounded time.
import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type Clock, systemClock } from "../../time/clock.ts";
import { waitFor } from "../../time/wait.ts";
import type { Service } from "../calls/handler.ts";
import { IncomingCalls } from "../calls/incoming-calls.ts";
import { REFUSALS_AT_ONCE } from "../calls/refusal-pace.ts";
import { type UnfinishedLimits, UnfinishedRequests, unfinishedLimits } from "../calls/unfinished-requests.ts";
import { refuseUnknownMethods } from "../calls/unknown-method.ts";

import { rememberEncodings, setHttp2Options } from "../grpc-js-internals.ts";

import { bind } from "./bind.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { type Certificate, http2Limits, TlsServerCredentials } from "./server-credentials.ts";

export { ListenError } from "./bind.ts";
export type { Certificate } from "./server-credentials.ts";

const KiB = 1024;

export const defaultLimits = {
  connections: 20_000,
  connectionsPerAddress: 1_000,
  refusalsAtOnce: REFUSALS_AT_ONCE,
  /**
   * The most open calls of one connection. A client has few streams, but its unary calls share the connection, as can
   * several programs behind one proxy. Each open call takes some 10 KiB.
   */
  concurrentStreams: 128,
  /** The longest response message, bytes. Clients accept this much by default. */
  responseBytes: 4096 * KiB,
  /** How long a caller may take to end its side of a call that was answered early, ms. Then the call is reset. */
  resetMs: 2_000,
  /** How long a connection without calls stays open, ms, even if it has never sent anything. */
  idleMs: 60_000,
  /** The time between pings, and how long the answer may take, ms. Half-open connections are detected within 30 s. */
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
};

/** Every limit of a listener. The bounds of requests are those of the services. */
export type ListenerLimits = ConnectionLimits & Readonly<typeof defaultLimits> & UnfinishedLimits;

export interface ListenOptions {
  /** An IPv4 or IPv6 address (without brackets), or a name, all of whose addresses are used. */
  readonly host: string;
  /** The port to listen on; 0 for any free port. */
  readonly port: number;
  /** The certificate for TLS. Without it, connections are not encrypted. */
  readonly tls?: Certificate;
  readonly services: readonly Service[];
  readonly limits?: Partial<ListenerLimits>;
  /** The clock for the deadlines of requests and for the rates of connections. */
  readonly clock?: Clock;
}

export interface Listener extends AsyncDisposable {
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** The number of open connections. */
  readonly connections: number;
  /**
   * Replaces the certificate for new connections; open ones keep theirs. @throws Error if it is not usable (the old one
   * then stays), or if the listener does not use TLS
   */
  replaceCertificate(certificate: Certificate): void;
  /** Destroys the connection to the peer with this address and port (CallContext.peer), if there is one. */
  cut(peer: string): void;
  /**
   * Takes no more connections, sends GOAWAY so that peers open no more calls, waits up to `graceMs` for the open calls
   * to end, and then cuts every connection. Resolves when none is left, soon after `graceMs` at the latest. A second
   * call waits for the first one and does not change its `graceMs`.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** @throws ListenError if the host or port is not usable; Error if the certificate is not */
export async function listen(options: ListenOptions): Promise<Listener> {
  const limits = { ...defaultLimits, ...unfinishedLimits, ...options.limits };
  const { clock = systemClock } = options;
  const tls = options.tls && new TlsServerCredentials(options.tls);
  const unfinished = new UnfinishedRequests(limits, clock);
  const connections = new Connections(limits, clock);
  const incoming = new IncomingCalls({
    bounds: new Map(options.services.flatMap(({ bounds }) => [...bounds])),
    unfinished,
    connectionOf: ({ socket }) => connections.of(socket),
    clock,
    resetMs: limits.resetMs,
  });
  const server = new Server({
    interceptors: [incoming.interceptor],
    "grpc.max_concurrent_streams": limits.concurrentStreams,
    "grpc.max_send_message_length": limits.responseBytes,
    "grpc.max_connection_idle_ms": limits.idleMs,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Channelz costs memory. Only forceShutdown needs it, which has nothing to close, because the sockets are opened
    // below.
    "grpc.enable_channelz": 0,
  });
  setHttp2Options(server, http2Limits);
  for (const { definition, implementation } of options.services)
    server.addService(definition, implementation);
  for (const { useCut } of [...options.services, refuseUnknownMethods(server)]) {
    useCut((peer) => connections.cut(peer));
  }
  // The sockets are opened by `bind` and injected instead of being bound by grpc-js, so that connections can be
  // counted, limited and cut.
  const injector = server.createConnectionInjector(tls ?? ServerCredentials.createInsecure());
  rememberEncodings(server);
  incoming.inspect(server);
  const { port, servers } = await bind(options.host, options.port, (socket: Socket) => {
    if (connections.admit(socket)) injector.injectConnection(socket);
  });

  let stopping: Promise<void> | undefined;
  const stop = async (graceMs: number): Promise<void> => {
    for (const listening of servers) listening.close();
    // The injector would end the calls with a reset, which a client sees as CANCELLED instead of a lost connection. It
    // therefore gets more time than the calls have.
    injector.drain(graceMs + 1_000);
    const { status } = await waitFor(connections.whenEmpty(), { ms: graceMs });
    if (status === "late") connections.cutAll();
    await connections.whenEmpty();
    injector.destroy();
    server.forceShutdown();
    unfinished[Symbol.dispose]();
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
