// One private chat from the openings to its end; both ends work the same way. A conversation MUST:
//  1. hand out each line of the peer once, in the order of the numbers, or end;
//  2. know for each own line whether the peer has acknowledged it, and after both ends have finished, not end before
//     all lines are acknowledged;
//  3. buffer no more than its outbox and the unacknowledged own lines, whatever the peer does.
import { Ending, Reason, Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { waitFor } from "../../../time/wait.ts";
import { bytesOfLine, checkReceivedLine, conversationLimits, type Line, NotSentError } from "./line-rules.ts";
import { ReadRateLimit } from "./read-rate-limit.ts";
import { asRpcError, refusal } from "./refusals.ts";
import { SentLines } from "./sent-lines.ts";
import type { SignalStream } from "./signal-stream.ts";

/** The callbacks of a conversation. Each is awaited before more is read, so a slow owner slows the peer. */
export interface ConversationOwner {
  line(line: Line): Promise<void> | void;
  /** The peer has received, and its user has read, this side's lines up to these numbers. */
  marks(received: bigint, read: bigint): Promise<void> | void;
  typing(typing: boolean): Promise<void> | void;
  /** The peer will send no more lines. */
  finished(): Promise<void> | void;
}

/** Why a conversation ended. */
export type EndReason =
  /** One end sent a goodbye. */
  | {
      readonly kind: "goodbye";
      /** The end that sent it: this one or the peer. */
      readonly by: "me" | "them";
      /** The reason in the goodbye. */
      readonly ending: Ending;
    }
  /** The connection was lost, or one end violated the contract. */
  | {
      readonly kind: "failed";
      /** The status of the call. */
      readonly cause: RpcError;
    };

/** The end of a conversation. */
export interface ConversationEnded {
  /** Why it ended. */
  readonly how: EndReason;
  /** Own lines that the peer has not acknowledged, in order. */
  readonly undelivered: readonly string[];
}

export class PrivateConversation {
  readonly #stream: SignalStream;
  readonly #owner: ConversationOwner;
  readonly #rateLimit = new ReadRateLimit(conversationLimits.signalsPerSecond);
  readonly #sent = new SentLines();
  #received = 0n;
  #read = 0n;
  /** The marks that were sent last. */
  #marked = { received: 0n, read: 0n };
  #isFinished = false;
  #isPeerFinished = false;
  #goodbye: { readonly by: "me" | "them"; readonly ending: Ending } | undefined;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #draining: Promise<void> | undefined;
  /** Resolved when a caller of `whenWritable` has to check again. */
  #progress: PromiseWithResolvers<void> | undefined;

  constructor(stream: SignalStream, owner: ConversationOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Resolves when the conversation has ended; never rejects. Call it once. */
  async run(): Promise<ConversationEnded> {
    let cause: RpcError | undefined;
    try {
      await this.#readSignals();
    } catch (error) {
      cause = asRpcError(error);
    }
    this.#stream.abort(cause);
    this.#isOver = true;
    this.#over.resolve();
    this.#notifyProgress();
    const { undelivered } = this;
    if (this.#goodbye !== undefined) return { how: { kind: "goodbye", ...this.#goodbye }, undelivered };
    return { how: { kind: "failed", cause: this.#causeOf(cause) }, undelivered };
  }

  /**
   * The cause to report. It is not `cause` if TLS detected changed bytes: gRPC reports only that the connection is
   * gone.
   */
  #causeOf(cause: RpcError | undefined): RpcError {
    const { broken } = this.#stream;
    const isGone = cause === undefined || cause.reason === "" || cause.reason === "PEER_GONE";
    if (isGone && broken !== undefined && "code" in broken && String(broken.code).startsWith("ERR_SSL")) {
      const message = "The data was changed on its way, so the connection was closed.";
      return refusal(Reason.CONNECTION_TAMPERED, message);
    }
    return cause ?? refusal(Reason.PEER_GONE, "The other device hung up without a goodbye.");
  }

  /** Own lines that the peer has not acknowledged, in order. */
  get undelivered(): readonly string[] {
    return this.#sent.undelivered;
  }

  /** Whether no line can be sent any more. */
  get isOver(): boolean {
    return this.#goodbye !== undefined || this.#isOver || this.#stream.broken !== undefined;
  }

  /** Whether no line can be sent until the peer has taken earlier ones. */
  get isFull(): boolean {
    return this.#sent.isFull || this.#stream.isCongested;
  }

  /** Resolves when a line can be sent, or the conversation has ended. */
  async whenWritable(): Promise<void> {
    while (this.isFull && !this.isOver) {
      // All callers share one wait for the stream, which may last as long as the conversation.
      if (this.#stream.isCongested) this.#draining ??= this.#whenDrained();
      this.#progress ??= Promise.withResolvers();
      await this.#progress.promise;
    }
  }

  async #whenDrained(): Promise<void> {
    await this.#stream.drained();
    this.#draining = undefined;
    // An ended stream stays congested; then the end of the conversation notifies the callers.
    if (!this.#stream.isCongested) this.#notifyProgress();
  }

  /**
   * Sends a line and returns its number.
   * @throws NotSentError if the line is not valid, the chat has ended, or the peer has not taken earlier lines
   */
  send(text: string): bigint {
    const bytes = bytesOfLine(text);
    if (this.isOver) throw new NotSentError("The private chat has ended.");
    if (this.#isFinished) throw new NotSentError("You have finished: no more lines can be sent.");
    if (this.isFull) {
      throw new NotSentError("The other device has not taken the earlier lines yet. Wait a moment.");
    }
    const number = this.#sent.add(text, bytes);
    this.#write({
      $case: "line",
      value: { number, time: new Date(), content: { $case: "text", value: text.toWellFormed() } },
    });
    return number;
  }

  /** Marks every line so far as read. */
  markRead(): void {
    if (this.#read === this.#received || this.#goodbye !== undefined) return;
    this.#read = this.#received;
    this.#writeMarks();
  }

  setTyping(typing: boolean): void {
    if (this.#goodbye === undefined && !this.#stream.isCongested) {
      this.#write({ $case: "typing", value: { typing } });
    }
  }

  /**
   * Announces that no more lines will be sent. The conversation ends when both ends have done so and all
   * lines are acknowledged.
   */
  finish(): void {
    if (this.#isFinished || this.isOver) return;
    this.#isFinished = true;
    this.#write({ $case: "finished", value: {} });
    this.#endIfDone();
  }

  /** Sends a goodbye; resolves when the conversation has ended, within `goodbyeMs`. */
  async end(ending: Ending): Promise<void> {
    if (this.#goodbye === undefined) {
      this.#goodbye = { by: "me", ending };
      this.#write({ $case: "goodbye", value: { ending } });
    }
    const deadline = performance.now() + conversationLimits.goodbyeMs;
    await waitFor(this.#stream.close(), { ms: conversationLimits.goodbyeMs });
    await waitFor(this.#over.promise, { ms: Math.max(0, deadline - performance.now()) });
    this.#stream.abort();
  }

  /** Ends a conversation whose peer is gone, without a goodbye. */
  drop(): void {
    this.#stream.abort();
  }

  async #readSignals(): Promise<void> {
    for (;;) {
      const next = await this.#stream.signals.next();
      if (next.done === true) return;
      const signals = next.value;
      if (signals.length > conversationLimits.signalsPerFrame) {
        throw refusal(Reason.INVALID_FIELD, "There are too many signals in one frame.");
      }
      // An empty frame counts as one signal.
      await this.#rateLimit.take(Math.max(1, signals.length));
      for (const signal of signals) {
        await this.#take(signal);
        if (this.#goodbye?.by === "them") break;
      }
      // Also after a goodbye: the peer waits for the marks of its last lines.
      this.#writeMarks();
      if (this.#goodbye?.by === "them") {
        await this.#leave();
        return;
      }
      this.#endIfDone();
    }
  }

  /** Sends what was written, and then lets the peer end the call if `peerEndsCall`; both within `goodbyeMs`. */
  async #leave(): Promise<void> {
    const deadline = performance.now() + conversationLimits.goodbyeMs;
    await waitFor(this.#stream.close(), { ms: conversationLimits.goodbyeMs });
    if (!this.#stream.peerEndsCall) return;
    await waitFor(this.#discardSignals(), { ms: Math.max(0, deadline - performance.now()) });
  }

  /** Reads signals to their end. Never rejects: after the goodbye, signals and errors have no meaning. */
  async #discardSignals(): Promise<void> {
    try {
      while ((await this.#stream.signals.next()).done !== true);
    } catch {
      // After the goodbye, an error has no meaning.
    }
  }

  async #take({ kind }: Signal): Promise<void> {
    // After this side's goodbye only the acknowledgement of its own lines matters.
    if (this.#goodbye !== undefined && kind?.$case !== "marks") return;
    switch (kind?.$case) {
      case "opening":
        throw refusal(Reason.OPENING_EXPECTED, "Opening must come only once.");
      case "line": {
        const { number, time, content } = kind.value;
        if (this.#isPeerFinished) throw refusal(Reason.LINE_OUT_OF_ORDER, "A line came after Finished.");
        const expected = this.#received + 1n;
        if (number !== expected) {
          throw refusal(Reason.LINE_OUT_OF_ORDER, `Line ${number} came, but line ${expected} was expected.`);
        }
        const text = content?.$case === "text" ? content.value : undefined;
        checkReceivedLine(text, time);
        // Set before the owner receives the line, because the owner may call `markRead` in the callback.
        this.#received = number;
        return this.#owner.line({
          number,
          time,
          content: text === undefined ? { kind: "unknown" } : { kind: "text", text },
        });
      }
      case "marks": {
        const { received, read } = kind.value;
        this.#sent.acknowledge(received, read);
        this.#notifyProgress();
        return this.#owner.marks(received, read);
      }
      case "typing":
        return this.#owner.typing(kind.value.typing);
      case "finished":
        if (this.#isPeerFinished) return;
        this.#isPeerFinished = true;
        return this.#owner.finished();
      case "goodbye":
        this.#goodbye = { by: "them", ending: kind.value.ending };
        return;
      default:
        // A kind that this version does not know.
        return;
    }
  }

  #notifyProgress(): void {
    this.#progress?.resolve();
    this.#progress = undefined;
  }

  /** Ends the conversation when both ends have finished and all own lines are acknowledged. */
  #endIfDone(): void {
    if (this.isOver || !this.#isFinished || !this.#isPeerFinished || !this.#sent.allAcknowledged) return;
    // The peer may wait for these marks, and after the goodbye none are sent.
    this.#writeMarks();
    void this.end(Ending.FINISHED);
  }

  #writeMarks(): void {
    const marks = { received: this.#received, read: this.#read };
    const isNew = marks.received > this.#marked.received || marks.read > this.#marked.read;
    if (!isNew || this.#goodbye?.by === "me") return;
    this.#marked = marks;
    this.#write({ $case: "marks", value: marks });
  }

  #write(kind: NonNullable<Signal["kind"]>): void {
    this.#stream.write(Signal.encode({ kind }).finish());
  }
}
