// The peer server of this device: admits each introduced peer once, while the introduction is valid.
import type { Duplex } from "node:stream";
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import { Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { Service } from "../../../rpc/calls/handler.ts";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import { formatAddress } from "../../../rpc/network/address.ts";
import {
  type CallerConnection,
  type Listening,
  type PeerListener,
  servePeers,
} from "../../../rpc/peers/peer-listener.ts";
import { converseService } from "../conversation/converse.ts";
import { refusal } from "../conversation/refusals.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import { ownHosts } from "./addresses.ts";
import type { Path } from "./connect-peer.ts";

/** A peer that may connect. */
export interface Expected {
  readonly introductionId: string;
  /** The fingerprint of the key that the peer must prove that it has. */
  readonly fingerprint: string;
  /** The peer may connect directly, and not only through the relay. */
  readonly direct: boolean;
  /** For how long from now the peer may connect, ms. */
  readonly lifetimeMs: number;
  readonly opening: Opening;
  /** Runs the conversation after the openings; resolves when it has ended. */
  converse(stream: SignalStream, path: Path): Promise<void>;
}

/** A connected peer that has proved that it has a key. */
interface Caller {
  readonly fingerprint: string;
  readonly path: Path;
  readonly connection: CallerConnection;
}

export interface PeerServerOptions {
  readonly own: Certificate;
  /**
   * Where to listen while a peer may connect directly; "::" and "0.0.0.0" stand for the addresses of the network
   * interfaces. If undefined, the server does not listen, and callers come only through `accept`.
   */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** The chat server runs on this machine: loopback addresses are used, too. */
  readonly isLocal: boolean;
  onError(error: unknown): void;
}

/** A time during which the server listens. Dispose of it when no peer of its user can connect any more. */
export interface OpenPort extends Disposable {
  readonly port: number;
  /** HOST:PORT for each address at which the server listens. */
  readonly addresses: readonly string[];
}

export class PeerServer implements AsyncDisposable {
  readonly #options: PeerServerOptions;
  readonly #listener: PeerListener;
  readonly #relayed: PeerListener;
  readonly #admission = new Admission();
  /** The users of the open port. */
  readonly #users = new Set<symbol>();
  #listening: Promise<Listening> | undefined;
  #port: number | undefined;

  private constructor(options: PeerServerOptions) {
    this.#options = options;
    const { own, onError } = options;
    const admit =
      (path: Path) =>
      (fingerprint: string, connection: CallerConnection): readonly Service[] | undefined =>
        this.#admission.servicesFor({ fingerprint, path, connection }, onError);
    this.#listener = servePeers({ own, admit: admit("direct") });
    this.#relayed = servePeers({ own, admit: admit("relayed") });
  }

  /** @throws ListenError if a fixed port cannot be used */
  static async open(options: PeerServerOptions): Promise<PeerServer> {
    const server = new PeerServer(options);
    // A port that is taken should be noticed at the start, not at the first chat.
    if (options.address !== undefined && options.address.port !== 0) {
      using _port = await server.listen();
    }
    return server;
  }

  /** The port at which the server listens, or listened last; undefined if it never did. */
  get port(): number | undefined {
    return this.#port;
  }

  /**
   * Listens until the result is disposed of. Connections that peers have made by then stay open.
   * @returns undefined if the options name no address
   * @throws ListenError
   */
  async listen(): Promise<OpenPort | undefined> {
    const { address } = this.#options;
    if (address === undefined) return undefined;
    const user = Symbol();
    this.#users.add(user);
    try {
      this.#listening ??= this.#listener.listen(this.#hosts(address.host), address.port);
      const { port, hosts } = await this.#listening;
      this.#port = port;
      const addresses = hosts.map((host) => formatAddress({ host, port }));
      return { port, addresses, [Symbol.dispose]: () => this.#release(user) };
    } catch (error) {
      this.#listening = undefined;
      this.#release(user);
      throw error;
    }
  }

  #hosts(host: string): readonly string[] {
    if (host !== "::" && host !== "0.0.0.0") return [host];
    const own = ownHosts(this.#options.isLocal);
    return host === "::" ? own : own.filter((each) => !each.includes(":"));
  }

  #release(user: symbol): void {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    const listening = this.#listening;
    this.#listening = undefined;
    // An error was thrown by `listen`.
    listening?.then(
      (one) => one[Symbol.dispose](),
      () => undefined,
    );
  }

  /** Admits the peer once, while the introduction is valid. Dispose of the result to stop expecting it. */
  expect(expected: Expected): Disposable {
    return this.#admission.expect(expected);
  }

  /** Serves a caller that connects through the relay. */
  accept(stream: Duplex): void {
    this.#relayed.accept(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admission[Symbol.dispose]();
    await this.#listener[Symbol.asyncDispose]();
    await this.#relayed[Symbol.asyncDispose]();
  }
}

interface Pending {
  readonly expected: Expected;
  /** Expires the introduction. */
  readonly timer: NodeJS.Timeout;
}

/** The expected peers, and the connected callers that have not opened a conversation. */
class Admission implements Disposable {
  readonly #pending = new Map<string, Pending>();
  readonly #waiting = new Set<Caller>();

  expect(expected: Expected): Disposable {
    const end = (): void => {
      if (this.#pending.get(expected.introductionId) === pending) this.#end(pending);
    };
    const pending = { expected, timer: setTimeout(end, expected.lifetimeMs).unref() };
    this.#pending.set(expected.introductionId, pending);
    return { [Symbol.dispose]: end };
  }

  /** Undefined, which refuses the connection, if the caller's key belongs to no introduction. */
  servicesFor(caller: Caller, onError: (error: unknown) => void): readonly Service[] | undefined {
    if (!this.#isExpected(caller)) return undefined;
    const { path, connection } = caller;
    this.#waiting.add(caller);
    void connection.closed.then(() => this.#waiting.delete(caller));
    let taken: Expected | undefined;
    const admit = ({ introductionId }: Opening): Opening => {
      const pending = this.#pending.get(introductionId);
      if (taken !== undefined || pending === undefined || !mayConnect(pending.expected, caller)) {
        throw refusal(
          Reason.INTRODUCTION_INVALID,
          "There is no such introduction for this device: it has expired or was used. Request a new one.",
        );
      }
      taken = pending.expected;
      this.#waiting.delete(caller);
      // An introduction is used up even if the conversation fails.
      this.#end(pending);
      return taken.opening;
    };
    const converse = async (stream: SignalStream): Promise<void> => taken?.converse(stream, path);
    return [converseService({ admit, converse, connection, onError })];
  }

  [Symbol.dispose](): void {
    for (const pending of this.#pending.values()) this.#end(pending);
  }

  /**
   * Removes an introduction. Callers without another one are disconnected, because the number of connections is
   * limited.
   */
  #end({ expected, timer }: Pending): void {
    clearTimeout(timer);
    this.#pending.delete(expected.introductionId);
    for (const caller of this.#waiting) if (!this.#isExpected(caller)) caller.connection.end();
  }

  #isExpected(caller: Caller): boolean {
    return [...this.#pending.values()].some(({ expected }) => mayConnect(expected, caller));
  }
}

function mayConnect(expected: Expected, { fingerprint, path }: Caller): boolean {
  return expected.fingerprint === fingerprint && (path === "relayed" || expected.direct);
}
