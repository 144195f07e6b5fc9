// The peer server of this device: serves exactly those who were introduced, each once, while the introduction lasts.
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

/** Somebody who may come. */
export interface Expected {
  readonly introductionId: string;
  /** The fingerprint of the key that has to be proved. */
  readonly fingerprint: string;
  /** It may come straight, and not through the relay alone. */
  readonly direct: boolean;
  /** How long from now, ms. */
  readonly lifetimeMs: number;
  readonly opening: Opening;
  /** Has the conversation, once it is opened; it is over when this resolves. */
  converse(stream: SignalStream, path: Path): Promise<void>;
}

/** Somebody who came, and has proved to have a key. */
interface Caller {
  readonly fingerprint: string;
  readonly path: Path;
  readonly connection: CallerConnection;
}

export interface PeerServerOptions {
  readonly own: Certificate;
  /** Where to listen; undefined: nowhere, and only `accept` brings callers. */
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

  /** @throws ListenError where the port cannot be used */
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

  /** Undefined where it does not listen by itself. */
  get port(): number | undefined {
    return this.#listener.port;
  }

  /** From now on, and while the introduction lasts, this one may come, once. Dispose to take that back. */
  expect(expected: Expected): Disposable {
    return this.#admission.expect(expected);
  }

  /** Somebody comes through the relay. */
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
  /** Ends it when it has lasted. */
  readonly timer: NodeJS.Timeout;
}

/** Who is expected, and who stands at the door: has come, and has not opened a conversation. */
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

  /** Whoever has a key that nobody introduced does not get as far as a call. */
  servicesFor(caller: Caller, onError: (error: unknown) => void): readonly Service[] | undefined {
    if (!this.#isExpected(caller)) return undefined;
    const { path, connection } = caller;
    this.#waiting.add(caller);
    void connection.closed.then(() => this.#waiting.delete(caller));
    let taken: Expected | undefined;
    const admit = ({ introductionId }: Opening): Opening => {
      const pending = this.#pending.get(introductionId);
      if (taken !== undefined || pending === undefined || !mayCome(pending.expected, caller)) {
        throw refusal(
          Reason.INTRODUCTION_INVALID,
          "There is no such introduction for this device: it has expired, or was used. Ask anew.",
        );
      }
      taken = pending.expected;
      this.#waiting.delete(caller);
      // Used up, whatever becomes of the conversation.
      this.#end(pending);
      return taken.opening;
    };
    const converse = async (stream: SignalStream): Promise<void> => taken?.converse(stream, path);
    return [converseService({ admit, converse, connection, onError })];
  }

  [Symbol.dispose](): void {
    for (const pending of this.#pending.values()) this.#end(pending);
  }

  /** Those who came for it in vain must not keep their connections: there are few of them. */
  #end({ expected, timer }: Pending): void {
    clearTimeout(timer);
    this.#pending.delete(expected.introductionId);
    for (const caller of this.#waiting) if (!this.#isExpected(caller)) caller.connection.end();
  }

  #isExpected(caller: Caller): boolean {
    return [...this.#pending.values()].some(({ expected }) => mayCome(expected, caller));
  }
}

function mayCome(expected: Expected, { fingerprint, path }: Caller): boolean {
  return expected.fingerprint === fingerprint && (path === "relayed" || expected.direct);
}
