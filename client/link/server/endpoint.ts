// One server as this client reaches it: its address, how it is trusted, and one connection that all calls share.
import { type Channel, connectivityState } from "@grpc/grpc-js";
import { AuthServiceClient } from "../../../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceClient } from "../../../gen/parley/chat/v1/block_service.ts";
import { ChatServiceClient } from "../../../gen/parley/chat/v1/chat_service.ts";
import { DirectoryServiceClient } from "../../../gen/parley/chat/v1/directory_service.ts";
import { HistoryServiceClient } from "../../../gen/parley/chat/v1/history_service.ts";
import { IdentityServiceClient } from "../../../gen/parley/chat/v1/identity_service.ts";
import { IntroductionServiceClient } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { call, type RequestOf, type ResponseOf, type UnaryName } from "../../../rpc/dialling/call.ts";
import { ConnectError, type Dialled, dial, type ServerTrust } from "../../../rpc/dialling/dial.ts";
import { after, whenAborted } from "../waiting.ts";

/** Which server, and how to reach it. */
export interface EndpointOptions {
  /** HOST:PORT; an IPv6 address in brackets. */
  readonly address: string;
  /** What makes the server the right one: nothing is sent to any other. */
  readonly trust: ServerTrust;
  /** How long a connection may take to stand, ms; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** How a network that fell silent is noticed while a call is open. Default: a ping after 25 s, answered within 10 s. */
  readonly keepalive?: Keepalive;
}

/** Pings while a call is open. */
export interface Keepalive {
  /** After so long without any, ms. */
  readonly timeMs: number;
  /** How long the answer may take before the connection counts as lost, ms. */
  readonly timeoutMs: number;
}

/** How long a call may take. */
export interface CallOptions {
  /** How long the connection may take to stand, and then the call, ms; default: the endpoint's, and 10 s. */
  readonly timeoutMs?: number;
  /** Gives the call up; it may have been carried out all the same. */
  readonly signal?: AbortSignal;
}

/** The services of one server. */
export interface Clients {
  readonly auth: AuthServiceClient;
  readonly blocks: BlockServiceClient;
  readonly chat: ChatServiceClient;
  readonly directory: DirectoryServiceClient;
  readonly history: HistoryServiceClient;
  readonly identities: IdentityServiceClient;
  readonly introductions: IntroductionServiceClient;
}

const callTimeoutMs = 10_000;

/**
 * One server, and one connection to it that any number of calls and links share. It connects when something is called,
 * and anew when the connection is lost.
 */
export class Endpoint implements AsyncDisposable {
  /** HOST:PORT. */
  readonly address: string;
  /** What makes the server the right one. */
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
   * The connection, made if there is none that stands.
   * @throws ConnectError: nothing was sent
   * @internal
   */
  async connect(): Promise<Dialled> {
    const before = this.#connection;
    if (before !== undefined) {
      const dialled = await before;
      if (stands(dialled.channel)) return dialled;
      // Another caller may have replaced it while this one waited.
      if (this.#connection === before) this.#forget(dialled);
    }
    if (this.#disposed)
      throw new ConnectError({ kind: "unreachable", message: "The connection was closed." });
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  /**
   * The services, over a connection that stands.
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
    };
    this.#clients.set(dialled, clients);
    return clients;
  }

  /**
   * One call.
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

  /** Closes the connection; calls that are open end with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // A connection that never stood was let go by #dial, and told to who asked for it.
    const dialled = await connection.catch(() => undefined);
    dialled?.[Symbol.dispose]();
  }

  async #connectWithin({ timeoutMs, signal }: CallOptions = {}): Promise<Dialled> {
    const connection = this.connect();
    if (timeoutMs === undefined && signal === undefined) return connection;
    using time = after(timeoutMs ?? this.#connectTimeoutMs);
    using stop = whenAborted(signal ?? new AbortController().signal);
    const givenUp = Promise.race([time.promise, stop.promise]).then(() => {
      const why = signal?.aborted === true ? "The call was given up" : "There was not enough time";
      throw new ConnectError({ kind: "timeout", message: `${why} to connect to ${this.address}.` });
    });
    return await Promise.race([connection, givenUp]);
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

/** A channel that lost its connection would come back by itself, but at its own pace and without telling why it cannot. */
function stands(channel: Channel): boolean {
  return channel.getConnectivityState(false) === connectivityState.READY;
}
