// The peer server of this device: serves exactly those who were introduced, each once, while the introduction lasts.
import type { Duplex } from "node:stream";
import type { Opening } from "../../gen/parley/peer/v1/peer_service.ts";
import { Reason } from "../../gen/parley/peer/v1/peer_service.ts";
import type { Service } from "../../rpc/handler.ts";
import { listenForPeers, type PeerConnection, type PeerListener } from "../../rpc/peer-listener.ts";
import type { Certificate } from "../../rpc/server-credentials.ts";
import type { SignalStream } from "./conversation.ts";
import { converseService } from "./converse.ts";
import type { Path } from "./reach.ts";
import { refusal } from "./refusals.ts";

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
  readonly connection: PeerConnection;
}

interface Pending extends Expected {
  readonly expires: number;
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
  readonly #pending: Map<string, Pending>;

  private constructor(listener: PeerListener, relayed: PeerListener, pending: Map<string, Pending>) {
    this.#listener = listener;
    this.#relayed = relayed;
    this.#pending = pending;
  }

  /** @throws ListenError where the port cannot be used */
  static async open({ own, address, onError }: PeerServerOptions): Promise<PeerServer> {
    const pending = new Map<string, Pending>();
    const admit =
      (path: Path) =>
      (fingerprint: string, connection: PeerConnection): readonly Service[] | undefined =>
        servicesFor(pending, { fingerprint, path, connection }, onError);
    const listener = await listenForPeers({ own, admit: admit("direct") }, address);
    return new PeerServer(
      listener,
      await listenForPeers({ own, admit: admit("relayed") }, undefined),
      pending,
    );
  }

  /** Undefined where it does not listen by itself. */
  get port(): number | undefined {
    return this.#listener.port;
  }

  /** From now on, and while the introduction lasts, this one may come, once. Dispose to take that back. */
  expect(expected: Expected): Disposable {
    const { introductionId } = expected;
    this.#pending.set(introductionId, { ...expected, expires: performance.now() + expected.lifetimeMs });
    return { [Symbol.dispose]: () => void this.#pending.delete(introductionId) };
  }

  /** Somebody comes through the relay. */
  accept(stream: Duplex): void {
    this.#relayed.accept(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pending.clear();
    await this.#listener[Symbol.asyncDispose]();
    await this.#relayed[Symbol.asyncDispose]();
  }
}

/** Whoever has a key that nobody introduced does not get as far as a call. */
function servicesFor(
  pending: Map<string, Pending>,
  { fingerprint, path, connection }: Caller,
  onError: (error: unknown) => void,
): readonly Service[] | undefined {
  const now = performance.now();
  const isExpected = [...pending.values()].some(
    (expected) => mayCome(expected, fingerprint, path) && now < expected.expires,
  );
  if (!isExpected) return undefined;
  let taken: Pending | undefined;
  const admit = ({ introductionId }: Opening): Opening => {
    const expected = pending.get(introductionId);
    if (
      taken !== undefined ||
      expected === undefined ||
      !mayCome(expected, fingerprint, path) ||
      performance.now() >= expected.expires
    ) {
      throw refusal(
        Reason.INTRODUCTION_INVALID,
        "There is no such introduction for this device: it has expired, or was used. Ask anew.",
      );
    }
    // Used up, whatever becomes of the conversation.
    pending.delete(introductionId);
    taken = expected;
    return expected.opening;
  };
  const converse = async (stream: SignalStream): Promise<void> => {
    const expected = taken;
    if (expected !== undefined) await expected.converse(stream, path);
  };
  return [converseService({ admit, converse, connection, onError })];
}

function mayCome(expected: Pending, fingerprint: string, path: Path): boolean {
  return expected.fingerprint === fingerprint && (path === "relayed" || expected.direct);
}
