// One server: its address, how it is authenticated, and one connection that all calls share.
import { type Channel, connectivityState } from "@grpc/grpc-js";
import { AuthServiceClient } from "../../../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceClient } from "../../../gen/parley/chat/v1/block_service.ts";
import { ChatServiceClient } from "../../../gen/parley/chat/v1/chat_service.ts";
import { DirectoryServiceClient } from "../../../gen/parley/chat/v1/directory_service.ts";
import { HistoryServiceClient } from "../../../gen/parley/chat/v1/history_service.ts";
import { IdentityServiceClient } from "../../../gen/parley/chat/v1/identity_service.ts";
import { IntroductionServiceClient } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { ServerServiceClient } from "../../../gen/parley/chat/v1/server_service.ts";
import { call, type RequestOf, type ResponseOf, type UnaryName } from "../../../rpc/dialling/call.ts";
import { ConnectError, type Dialled, dial, type ServerTrust } from "../../../rpc/dialling/dial.ts";
import { waitFor } from "../../../time/wait.ts";

/** The options of an endpoint. */
export interface EndpointOptions {
  /** HOST:PORT; an IPv6 address in brackets. */
  readonly address: string;
  /** How the server is authenticated. Nothing is sent to a server that fails it. */
  readonly trust: ServerTrust;
  /** How long connecting may take, ms; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** HTTP/2 pings that detect a dead connection while a call is open. Default: every 25 s, answered within 10 s. */
  readonly keepalive?: Keepalive;
}

/** HTTP/2 pings while a call is open. */
export interface Keepalive {
  /** The time between pings, ms. */
  readonly timeMs: number;
  /** How long the answer to a ping may take before the connection is closed, ms. */
  readonly timeoutMs: number;
}

/** The options of a call. */
export interface CallOptions {
  /**
   * The limit for connecting, and again for the call itself, ms. Default: the endpoint's `connectTimeoutMs` for
   * connecting, 10 s for the call.
   */
  readonly timeoutMs?: number;
  /** Cancels the call. The server may have carried it out nevertheless. */
  readonly signal?: AbortSignal;
}

/** The service clients of one connection. */
export interface Clients {
  readonly auth: AuthServiceClient;
  readonly blocks: BlockServiceClient;
  readonly chat: ChatServiceClient;
  readonly directory: DirectoryServiceClient;
  readonly history: HistoryServiceClient;
  readonly identities: IdentityServiceClient;
  readonly introductions: IntroductionServiceClient;
  readonly server: ServerServiceClient;
}

const callTimeoutMs = 10_000;

/**
 * One server, and one connection to it that any number of calls and links share. The first call opens the connection; a
 * call after its loss opens a new one.
 */
export class Endpoint implements AsyncDisposable {
  /** HOST:PORT. */
  readonly address: string;
  /** How the server is authenticated. */
  readonly trust: ServerTrust;
  readonly #connectTimeoutMs: number;
  readonly #keepalive: EndpointOptions["keepalive"];
  readonly #clients = new WeakMap<Dialled, Clients>();
  #connection: Promise<Dialled> | undefined;
  #disposed = false;

  constructor(options: EndpointOptions) {
    this.address = options.address;
    this.trust = options.trust;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
    this.#keepalive = options.keepalive;
  }

  /**
   * The open connection; a new one if there is none.
   * @throws ConnectError: nothing was sent
   * @internal
   */
  async connect(): Promise<Dialled> {
    const before = this.#connection;
    if (before !== undefined) {
      const dialled = await before;
      if (isReady(dialled.channel)) return dialled;
      // Another caller may have replaced it during the wait.
      if (this.#connection === before) this.#forget(dialled);
    }
    if (this.#disposed)
      throw new ConnectError({ kind: "unreachable", message: "The connection was closed." });
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  /**
   * The service clients over an open connection.
   * @throws ConnectError: nothing was sent
   * @internal
   */
  async clients(options?: CallOptions): Promise<Clients> {
    const dialled = await this.#connectWithin(options);
    const before = this.#clients.get(dialled);
    if (before !== undefined) return before;
    const clients = {
      auth: dialled.client(AuthServiceClient),
      blocks: dialled.client(BlockServiceClient),
      chat: dialled.client(ChatServiceClient),
      directory: dialled.client(DirectoryServiceClient),
      history: dialled.client(HistoryServiceClient),
      identities: dialled.client(IdentityServiceClient),
      introductions: dialled.client(IntroductionServiceClient),
      server: dialled.client(ServerServiceClient),
    };
    this.#clients.set(dialled, clients);
    return clients;
  }

  /**
   * Makes one unary call.
   * @throws RpcError
   * @internal
   */
  call<C, M extends UnaryName<C>>(
    client: C,
    method: M,
    request: RequestOf<C[M]>,
    options: CallOptions & { readonly token?: string },
  ): Promise<ResponseOf<C[M]>> {
    return call(client, method, request, { timeoutMs: callTimeoutMs, ...options });
  }

  /** Closes the connection, which ends the open calls. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // #dial has disposed of a connection that failed, and its caller received the error.
    const dialled = await connection.catch(() => undefined);
    dialled?.[Symbol.dispose]();
  }

  async #connectWithin({ timeoutMs, signal }: CallOptions = {}): Promise<Dialled> {
    const connection = this.connect();
    if (timeoutMs === undefined && signal === undefined) return connection;
    const waited = await waitFor(connection, { ms: timeoutMs ?? this.#connectTimeoutMs, signal });
    if (waited.status === "done") return waited.value;
    const message =
      waited.status === "aborted"
        ? `The call was cancelled before there was a connection to ${this.address}.`
        : `There was not enough time to connect to ${this.address}.`;
    throw new ConnectError({ kind: "timeout", message });
  }

  async #dial(): Promise<Dialled> {
    try {
      const timeoutMs = this.#connectTimeoutMs;
      const dialled = await dial({
        address: this.address,
        trust: this.trust,
        probeTimeoutMs: timeoutMs,
        ...(this.#keepalive === undefined ? {} : { keepalive: this.#keepalive }),
      });
      try {
        await dialled.ready(timeoutMs);
      } catch (error) {
        dialled[Symbol.dispose]();
        throw error;
      }
      return dialled;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }

  #forget(dialled: Dialled): void {
    this.#connection = undefined;
    dialled[Symbol.dispose]();
  }
}

/**
 * Whether the channel is connected. One that has lost its connection would reconnect by itself, but with its own delays
 * and without reporting errors.
 */
function isReady(channel: Channel): boolean {
  return channel.getConnectivityState(false) === connectivityState.READY;
}
