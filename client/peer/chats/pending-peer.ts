// Answering one who asks for a private chat: no, or yes and then the wait for that one to come, straight or through the relay.
import { Answer, type Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { QueuedLines } from "../conversation/queued-lines.ts";
import type { SignalStream } from "../conversation/signal-stream.ts";
import type { PeerKeys } from "../keys/contacts.ts";
import { ownAddresses } from "../path/addresses.ts";
import type { Path } from "../path/connect-peer.ts";
import { openRelay } from "../path/relay-stream.ts";
import { millis, type PrivateChatContext } from "./context.ts";

/** Longer than an answer may take and an introduction lasts, ms: the server's word then says how long exactly. */
const LONGEST_MS = 120_000;

/** One who asks. */
export interface Asked {
  readonly introductionId: string;
  readonly peer: PeerKeys;
  /** That one allows a direct path. */
  readonly direct: boolean;
}

/** Says no, for all devices of the user or for this program. @throws RpcError, ConnectError */
export async function decline(
  context: PrivateChatContext,
  { introductionId }: Asked,
  answer: "refuse" | "pass",
): Promise<void> {
  const no = answer === "refuse" ? Answer.REFUSE : Answer.PASS;
  await context.parts.calls.answerIntroduction({
    introductionId,
    answer: no,
    direct: false,
    addresses: [],
    port: 0,
  });
}

export interface PendingPeerOwner {
  /** Has the conversation; it is over when this resolves. */
  converse(pendingPeer: PendingPeer, stream: SignalStream, path: Path): Promise<void>;
  /** That one will not come. */
  failed(pendingPeer: PendingPeer, error: Error): void;
}

/** One who was told yes, and may come: once, while the introduction lasts. */
export class PendingPeer {
  readonly asked: Asked;
  /** What is to be said then. */
  readonly queued: QueuedLines;
  readonly #context: PrivateChatContext;
  readonly #owner: PendingPeerOwner;
  readonly #relay = new AbortController();
  #expected: Disposable | undefined;
  #lapse: NodeJS.Timeout | undefined;
  #isOver = false;
  /** Why the relay is no way. */
  #noRelay: Error | undefined;

  constructor(context: PrivateChatContext, asked: Asked, owner: PendingPeerOwner) {
    this.#context = context;
    this.asked = asked;
    this.#owner = owner;
    this.queued = new QueuedLines(asked.peer.username);
  }

  /** Says yes; from then on that one may come. @throws RpcError, ConnectError: then nobody does */
  async accept(): Promise<void> {
    const { server, closing } = this.#context.parts;
    const { introductionId, peer, direct } = this.asked;
    // Before the answer: whoever asked may be faster than the way back of this one's own yes.
    this.#expected = server.expect({
      introductionId,
      fingerprint: peer.fingerprint,
      direct,
      lifetimeMs: LONGEST_MS,
      opening: this.#context.opening(introductionId),
      converse: async (stream, path) => {
        if (!this.#settle()) {
          stream.abort();
          return;
        }
        await this.#owner.converse(this, stream, path);
      },
    });
    let introduction: Introduction;
    try {
      introduction = await this.#answer();
    } catch (error) {
      // Where that one has come meanwhile, only the answer to the yes was lost.
      if (!this.#settle()) return;
      throw error;
    }
    if (this.#isOver) return;
    if (closing.aborted) {
      // Nobody is here any more who could be spoken with: nothing waits for the one who asked.
      this.end();
      return;
    }
    const lifetimeMs = Math.min(millis(introduction.lifetime), LONGEST_MS);
    this.#lapse = setTimeout(() => this.fail(this.#noRelay ?? this.#notCome()), lifetimeMs);
    closing.addEventListener("abort", this.#end);
    void this.#openRelayHalf(introduction, lifetimeMs);
  }

  /** That one will not come: whoever owns this is told. */
  fail(error: Error): void {
    if (!this.#settle()) return;
    this.#owner.failed(this, error);
  }

  /** Nobody is awaited any more, and nobody told. */
  end(): void {
    this.#settle();
  }

  readonly #end = (): void => this.end();

  /** False where it was settled before. */
  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#lapse);
    this.#context.parts.closing.removeEventListener("abort", this.#end);
    this.#expected?.[Symbol.dispose]();
    // Whoever came has a stream of their own by now: it is the waiting that ends.
    this.#relay.abort();
    return true;
  }

  async #answer(): Promise<Introduction> {
    const { calls, server } = this.#context.parts;
    const { introductionId, direct } = this.asked;
    const port = direct ? (server.port ?? 0) : 0;
    const introduction = await calls.answerIntroduction({
      introductionId,
      answer: Answer.ACCEPT,
      direct: port !== 0,
      addresses: port === 0 ? [] : ownAddresses(port),
      port,
    });
    if (introduction === undefined) throw new Error("The server's answer to a yes has no introduction.");
    return introduction;
  }

  /** Never rejects: that one may come straight, and where nobody comes at all, that is told. */
  async #openRelayHalf({ introductionId, direct }: Introduction, timeoutMs: number): Promise<void> {
    const { calls, server, closing } = this.#context.parts;
    const signal = AbortSignal.any([this.#relay.signal, closing]);
    try {
      const dialled = await calls.endpoint.connect();
      server.accept(await openRelay(dialled, { introductionId, token: calls.token, timeoutMs, signal }));
    } catch (error) {
      const isTold = error instanceof RpcError && error.reason !== "RELAY_PEER_GONE";
      this.#noRelay = isTold || error instanceof ConnectError ? error : this.#notCome();
      if (!direct) this.fail(this.#noRelay);
    }
  }

  #notCome(): ConnectError {
    return new ConnectError({ kind: "timeout", message: `${this.asked.peer.username} did not come.` });
  }
}
