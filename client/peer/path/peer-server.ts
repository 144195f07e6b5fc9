// The peer server of this device: admits each introduced peer once, while the introduction is valid.
import type { Duplex } from "node:stream";
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import { Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { Service } from "../../../rpc/calls/handler.ts";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import {
  type CallerConnection,
  listenForPeers,
  type PeerListener,
} from "../../../rpc/peers/peer-listener.ts";
import { converseService } from "../conversation/converse.ts";
import { refusal } from "../conversation/refusals.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
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
  /** Where to listen. If undefined, the server does not listen, and callers come only through `accept`. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  onError(error: unknown): void;
}

export class PeerServer implements AsyncDisposable {
  readonly #listener: PeerListener;
  readonly #relayed: PeerListener;
  readonly #admission: Admission;

  private constructor(listener: PeerListener, relayed: PeerListener, admission: Admission) {
    this.#listener = listener;
    this.#relayed = relayed;
    this.#admission = admission;
  }

  /** @throws ListenError if the port cannot be used */
  static async open({ own, address, onError }: PeerServerOptions): Promise<PeerServer> {
    const admission = new Admission();
    const admit =
      (path: Path) =>
      (fingerprint: string, connection: CallerConnection): readonly Service[] | undefined =>
        admission.servicesFor({ fingerprint, path, connection }, onError);
    const listener = await listenForPeers({ own, admit: admit("direct") }, address);
    return new PeerServer(
      listener,
      await listenForPeers({ own, admit: admit("relayed") }, undefined),
      admission,
    );
  }

  /** The port; undefined if the server does not listen. */
  get port(): number | undefined {
    return this.#listener.port;
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
