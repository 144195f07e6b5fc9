// One private chat, from its openings to its end: the same at both ends. It MUST:
//  1. hand out each line of the other once, in the order of their numbers, or end;
//  2. say of each own line whether the other device has it, also at the end; and where both have said all, not end before;
//  3. hold no more than its outbox and the own lines that are not acknowledged, whatever the peer does.
import { Ending, Reason, Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { after } from "../../link/waiting.ts";
import { ReadRateLimit } from "./read-rate-limit.ts";
import { asRpcError, refusal } from "./refusals.ts";
import type { SignalStream } from "./signal-stream.ts";

/** What a line says; unknown is "something that this program is too old for". */
export type LineContent =
  | {
      readonly kind: "text";
      /** 1 to 32,768 bytes of UTF-8. */
      readonly text: string;
    }
  | { readonly kind: "unknown" };

/** What an owner hears. Each call is awaited before more is read, so a slow owner slows the peer. */
export interface ConversationOwner {
  line(line: { number: bigint; time: Date | undefined; content: LineContent }): Promise<void> | void;
  /** How far the other device, and the person there, are with the own lines. */
  marks(received: bigint, read: bigint): Promise<void> | void;
  typing(typing: boolean): Promise<void> | void;
  /** The other end says no more lines. */
  finished(): Promise<void> | void;
}

/** Why a conversation is over. */
export type EndReason =
  /** Somebody said goodbye: this end, or the other. */
  | {
      readonly kind: "goodbye";
      /** Which end said it. */
      readonly by: "me" | "them";
      /** Its reason. */
      readonly ending: Ending;
    }
  /** The connection was lost, or one end broke the rules. */
  | {
      readonly kind: "failed";
      /** What the call ended with. */
      readonly cause: RpcError;
    };

/** How a conversation ended, and which own lines the other device is not known to have. */
export interface ConversationEnded {
  /** Why it is over. */
  readonly how: EndReason;
  /** Own lines, in order. */
  readonly undelivered: readonly string[];
}

export const conversationLimits = {
  /** One line, bytes of UTF-8. */
  lineBytes: 32 * 1024,
  signalsPerFrame: 100,
  /** Own lines that the other device has not acknowledged. */
  unacknowledged: 1_000,
  unacknowledgedBytes: 1024 * 1024,
  /** Signals of the other end, a second: above it they are read no faster. */
  signalsPerSecond: 200,
  /** How long a goodbye may take to get through, ms. */
  goodbyeMs: 2_000,
} as const;

/** Something cannot be said now; nothing was sent. */
export class NotSentError extends Error {
  override name = "NotSentError";
}

/** The size of a line that can be said. @throws NotSentError where it is empty or too long */
export function bytesOfLine(text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) throw new NotSentError("There is nothing to say.");
  if (bytes > conversationLimits.lineBytes) {
    throw new NotSentError(
      `That line is too long: it has ${bytes} bytes, and ${conversationLimits.lineBytes} are allowed.`,
    );
  }
  return bytes;
}

/** The years 1 to 9999, as google.protobuf.Timestamp has them. */
const firstTime = Date.parse("0001-01-01T00:00:00Z");
const lastTime = Date.parse("9999-12-31T23:59:59.999Z");

function isTimestamp(time: Date): boolean {
  return time.getTime() >= firstTime && time.getTime() <= lastTime;
}

interface OwnLine {
  readonly text: string;
  readonly bytes: number;
}

export class PrivateConversation {
  readonly #stream: SignalStream;
  readonly #owner: ConversationOwner;
  readonly #pace = new ReadRateLimit(conversationLimits.signalsPerSecond);
  /** Own lines that the other device is not known to have, by number. */
  readonly #unacknowledged = new Map<bigint, OwnLine>();
  #unacknowledgedBytes = 0;
  #said = 0n;
  #receivedThere = 0n;
  #readThere = 0n;
  #received = 0n;
  #read = 0n;
  /** What the marks said that were sent last. */
  #marked = { received: 0n, read: 0n };
  #isFinished = false;
  #isFinishedThere = false;
  #goodbye: { readonly by: "me" | "them"; readonly ending: Ending } | undefined;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #draining: Promise<void> | undefined;
  /** Somebody waits for room. */
  #progress: PromiseWithResolvers<void> | undefined;

  constructor(stream: SignalStream, owner: ConversationOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Resolves when it is over; never rejects. Call it once. */
  async run(): Promise<ConversationEnded> {
    let cause: RpcError | undefined;
    try {
      await this.#listen();
    } catch (error) {
      cause = asRpcError(error);
    }
    // However it ended: nothing of the connection is kept.
    this.#stream.abort(cause);
    this.#isOver = true;
    this.#over.resolve();
    this.#wakeUp();
    const { undelivered } = this;
    if (this.#goodbye !== undefined) return { how: { kind: "goodbye", ...this.#goodbye }, undelivered };
    return { how: { kind: "failed", cause: this.#causeOf(cause) }, undelivered };
  }

  /** TLS finds each byte that is not as it was sent; for gRPC above it, the connection is just gone. */
  #causeOf(cause: RpcError | undefined): RpcError {
    const { broken } = this.#stream;
    const isGone = cause === undefined || cause.reason === "" || cause.reason === "PEER_GONE";
    if (isGone && broken !== undefined && "code" in broken && String(broken.code).startsWith("ERR_SSL")) {
      const message = "Somebody in between changed what was sent, so that it was cut.";
      return refusal(Reason.CONNECTION_TAMPERED, message);
    }
    return cause ?? refusal(Reason.PEER_GONE, "The other device hung up without a goodbye.");
  }

  /** Own lines, in order, that the other device is not known to have. */
  get undelivered(): readonly string[] {
    return [...this.#unacknowledged.values()].map(({ text }) => text);
  }

  /** Nothing more can be said. */
  get isOver(): boolean {
    return this.#goodbye !== undefined || this.#isOver;
  }

  /** The other device does not take what was said before. */
  get isFull(): boolean {
    return (
      this.#unacknowledged.size >= conversationLimits.unacknowledged ||
      this.#unacknowledgedBytes >= conversationLimits.unacknowledgedBytes ||
      this.#stream.isCongested
    );
  }

  /** Resolves when there is room for a line, or it is over. */
  async whenWritable(): Promise<void> {
    while (this.isFull && !this.isOver) {
      // All that wait share one wait for the stream, which may last as long as the conversation.
      if (this.#stream.isCongested) this.#draining ??= this.#whenDrained();
      this.#progress ??= Promise.withResolvers();
      await this.#progress.promise;
    }
  }

  async #whenDrained(): Promise<void> {
    await this.#stream.drained();
    this.#draining = undefined;
    // A stream that takes nothing any more has no room either: the end, or a mark, wakes those who wait.
    if (!this.#stream.isCongested) this.#wakeUp();
  }

  /**
   * Says a line; its number.
   * @throws NotSentError where it is empty or too long, or the other device does not take what was said before
   */
  send(text: string): bigint {
    const bytes = bytesOfLine(text);
    if (this.isOver) throw new NotSentError("The private chat is over.");
    if (this.#isFinished) throw new NotSentError("You have said that there is no more.");
    if (this.isFull) {
      throw new NotSentError("The other device does not take what was said before. Wait a moment.");
    }
    const number = ++this.#said;
    this.#unacknowledged.set(number, { text, bytes });
    this.#unacknowledgedBytes += bytes;
    this.#write({
      $case: "line",
      value: { number, time: new Date(), content: { $case: "text", value: text.toWellFormed() } },
    });
    return number;
  }

  /** The person here has seen every line so far. */
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

  /** Says no more lines, and goes on taking the other's; it ends once both have said all, and all has arrived. */
  finish(): void {
    if (this.#isFinished || this.isOver) return;
    this.#isFinished = true;
    this.#write({ $case: "finished", value: {} });
    this.#endIfDone();
  }

  /** Says goodbye; resolves when it is over, within a moment. */
  async end(ending: Ending): Promise<void> {
    if (this.#goodbye === undefined) {
      this.#goodbye = { by: "me", ending };
      this.#write({ $case: "goodbye", value: { ending } });
    }
    using late = after(conversationLimits.goodbyeMs);
    await Promise.race([this.#stream.close(), late.promise]);
    await Promise.race([this.#over.promise, late.promise]);
    this.#stream.abort();
  }

  /** Gives it up without a goodbye, where the other end is taken to be gone. */
  drop(): void {
    this.#stream.abort();
  }

  async #listen(): Promise<void> {
    for (;;) {
      const next = await this.#stream.signals.next();
      if (next.done === true) return;
      const signals = next.value;
      if (signals.length > conversationLimits.signalsPerFrame) {
        throw refusal(Reason.INVALID_FIELD, "There are too many signals in one frame.");
      }
      // An empty frame costs as much as a signal.
      await this.#pace.take(Math.max(1, signals.length));
      for (const signal of signals) {
        await this.#take(signal);
        if (this.#goodbye?.by === "them") break;
      }
      if (this.#goodbye?.by === "them") {
        // The other one waits to learn whether its last words have arrived.
        this.#writeMarks();
        await this.#leave();
        return;
      }
      this.#writeMarks();
      this.#endIfDone();
    }
  }

  /** Sends what is left; one who does not take it is not waited for. */
  async #leave(): Promise<void> {
    using late = after(conversationLimits.goodbyeMs);
    await Promise.race([this.#stream.close(), late.promise]);
    if (this.#stream.endsThere) await Promise.race([this.#runOut(), late.promise]);
  }

  /** Never rejects: after the goodbye nothing that comes, or fails, means anything. */
  async #runOut(): Promise<void> {
    try {
      while ((await this.#stream.signals.next()).done !== true);
    } catch {
      // As said above.
    }
  }

  async #take({ kind }: Signal): Promise<void> {
    // After the own goodbye there is only to learn how much of what was said has arrived.
    if (this.#goodbye !== undefined && kind?.$case !== "marks") return;
    switch (kind?.$case) {
      case "opening":
        throw refusal(Reason.OPENING_EXPECTED, "Opening comes once.");
      case "line": {
        const { number, time, content } = kind.value;
        if (this.#isFinishedThere) throw refusal(Reason.LINE_OUT_OF_ORDER, "A line came after the last one.");
        if (number !== this.#received + 1n) {
          const wanted = this.#received + 1n;
          throw refusal(Reason.LINE_OUT_OF_ORDER, `Line ${wanted} was to come, and ${number} came.`);
        }
        const text = content?.$case === "text" ? content.value : undefined;
        if (text === "" || Buffer.byteLength(text ?? "") > conversationLimits.lineBytes) {
          throw refusal(Reason.INVALID_FIELD, "A line is empty or too long.");
        }
        // It would come up again where it is shown, kept or printed, as an error of this program.
        if (time !== undefined && !isTimestamp(time)) {
          throw refusal(Reason.INVALID_FIELD, "The time of a line is none.");
        }
        // Before the owner has it: who reads at once marks it as read.
        this.#received = number;
        return this.#owner.line({
          number,
          time,
          content: text === undefined ? { kind: "unknown" } : { kind: "text", text },
        });
      }
      case "marks":
        return this.#takeMarks(kind.value.received, kind.value.read);
      case "typing":
        return this.#owner.typing(kind.value.typing);
      case "finished":
        if (this.#isFinishedThere) return;
        this.#isFinishedThere = true;
        return this.#owner.finished();
      case "goodbye":
        this.#goodbye = { by: "them", ending: kind.value.ending };
        return;
      default:
        // Of a kind that is not known here.
        return;
    }
  }

  async #takeMarks(received: bigint, read: bigint): Promise<void> {
    if (
      received < this.#receivedThere ||
      read < this.#readThere ||
      received > this.#said ||
      read > received
    ) {
      throw refusal(Reason.MARKS_INVALID, "Marks rise, and never beyond the newest line.");
    }
    for (let number = this.#receivedThere + 1n; number <= received; number++) {
      this.#unacknowledgedBytes -= this.#unacknowledged.get(number)?.bytes ?? 0;
      this.#unacknowledged.delete(number);
    }
    this.#receivedThere = received;
    this.#readThere = read;
    this.#wakeUp();
    await this.#owner.marks(received, read);
  }

  #wakeUp(): void {
    this.#progress?.resolve();
    this.#progress = undefined;
  }

  /** Both have said all, and each knows that all has arrived. */
  #endIfDone(): void {
    if (this.isOver || !this.#isFinished || !this.#isFinishedThere || this.#unacknowledged.size > 0) return;
    // After a goodbye none are sent, and the other end may wait for them.
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
