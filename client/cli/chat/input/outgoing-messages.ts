// Messages that the user sends: queued by the link until they are stored, shown when they are or when that takes long,
// and reported when refused.

import { Content } from "../../../../gen/parley/chat/v1/entry.ts";
import type { Limits } from "../../../../gen/parley/chat/v1/event.ts";
import type { Clock } from "../../../../time/clock.ts";
import { LinkEndedError, QueueFullError } from "../../../link/model/errors.ts";
import type { CommandRefused, EntryArrived, SendAcked } from "../../../link/model/events.ts";
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import { shortened } from "../../terminal/text/shortened.ts";
import { refuse } from "../command/chat-command.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { DisplayItem, MessageItem } from "../model/display-item.ts";
import { nameOf, placeOfTarget, type ServerPlace, targetOfPlace } from "../model/place.ts";
import { PendingSends } from "./pending-sends.ts";

export interface OutgoingMessagesOptions {
  readonly link: ChatLink;
  readonly me: string;
  readonly clock: Clock;
  /** Whether the user sees own messages, which are then shown only if they are not refused. */
  readonly atScreen: boolean;
  show(note: DisplayItem): void;
  isOpen(place: ServerPlace): boolean;
  isLive(): boolean;
}

export interface Stored {
  readonly place: ServerPlace;
  readonly conversationId: string;
  readonly seq: bigint;
  /** An own entry from another device that was mistaken for the echo of this message, and has not been shown yet. */
  readonly mistaken: EntryArrived | undefined;
}

/** A message without an answer for this time is shown as waiting, ms. */
const SHOW_AFTER_MS = 500;

/** A message that is not shown yet, because the server's answer is expected at once. */
interface Unshown {
  readonly line: Omit<MessageItem, "time" | "waiting">;
  readonly timer: Disposable;
}

export class OutgoingMessages implements Disposable {
  readonly #options: OutgoingMessagesOptions;
  readonly #sends = new PendingSends();
  /** By client message id, in the order in which they were sent. */
  readonly #unshown = new Map<bigint, Unshown>();
  /** How many messages that were shown as waiting have been stored but not reported yet. */
  #storedLate = 0;
  #maxContentBytes: number | undefined;

  constructor(options: OutgoingMessagesOptions) {
    this.#options = options;
  }

  /** How many messages of this run the server has not answered. */
  get unanswered(): number {
    return this.#sends.unanswered;
  }

  /** Resolves when all of them are answered. */
  answered(): Promise<void> {
    return this.#sends.answered();
  }

  /** Takes the server's limits from its welcome. */
  limits(limits: Limits | undefined): void {
    // 0: the server did not send a limit.
    this.#maxContentBytes = limits?.maxContentBytes || undefined;
  }

  /**
   * Resolves when the server answers, or immediately if there is no connection.
   * @throws CommandError if the recipient is the user, or the text is too long or cannot be queued
   */
  send(place: ServerPlace, text: string): Promise<void> {
    const { me, atScreen, isLive, clock } = this.#options;
    if (place.kind === "user" && place.username === me)
      throw refuse(`Not sent to ${me}: that is you. “${shortened(text)}”`);
    this.#checkSize(place, text);
    const waiting = !isLive();
    const clientMessageId = this.#queue(place, text);
    const answered = this.#sends.add(clientMessageId, { place, text, waiting });
    const line = { ...this.#line(place), content: { kind: "text", text } as const };
    if (waiting || !atScreen) this.#options.show({ ...line, time: new Date(clock.now()), waiting });
    else {
      const timer = clock.after(SHOW_AFTER_MS, () => this.showAll());
      this.#unshown.set(clientMessageId, { line, timer });
    }
    return waiting ? Promise.resolve() : answered;
  }

  /** Shows the messages that have no answer as waiting. Call it before the screen ends. */
  showAll(): void {
    const time = new Date(this.#options.clock.now());
    for (const [clientMessageId, { line, timer }] of this.#unshown) {
      timer[Symbol.dispose]();
      this.#sends.setWaiting(clientMessageId);
      this.#options.show({ ...line, time, waiting: true });
    }
    this.#unshown.clear();
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#unshown.values()) timer[Symbol.dispose]();
  }

  acked(event: SendAcked): Stored {
    const outcome = this.#sends.acked(event);
    const { conversationId, seq, sendTime: time } = event;
    const unshown = this.#takeUnshown(event.clientMessageId);
    if (unshown !== undefined) this.#options.show({ ...unshown, time, waiting: false });
    if (outcome.kind === "new") {
      const place = placeOfTarget(event.target);
      if (!event.entryShown) {
        this.#options.show({ ...this.#line(place), time, content: event.content, waiting: false });
      }
      return { place, conversationId, seq, mistaken: undefined };
    }
    if (outcome.send.waiting) this.#reportWaiting();
    return { place: outcome.send.place, conversationId, seq, mistaken: outcome.mistaken };
  }

  refused({ clientMessageId, target, content, error }: CommandRefused): void {
    if (clientMessageId === undefined) {
      // A typing signal to a removed user. The answer to the text says it.
      if (error.reason === "USER_NOT_FOUND") return;
      this.#options.show({ kind: "error", text: `The server refused a request: ${error.message}` });
      return;
    }
    this.#sends.forget(clientMessageId);
    this.#takeUnshown(clientMessageId);
    const to = target === undefined ? "" : ` to ${nameOf(placeOfTarget(target))}`;
    const text = content?.kind === "text" ? ` “${shortened(content.text)}”` : "";
    const isBlocked = error.reason === "BLOCKED_BY_RECIPIENT" && target?.kind === "user";
    const why = isBlocked ? `${target.username} has blocked you.` : error.message;
    this.#options.show({ kind: "error", text: `Not sent${to}: ${why}${text}` });
  }

  heldBack(messages: readonly UnsentMessage[]): void {
    for (const { clientMessageId } of messages) this.#sends.forget(clientMessageId);
    this.#options.show({ kind: "held-back", messages, asked: false });
  }

  /** Whether the entry is the echo of a line that was sent here and is on the screen already. */
  isEcho(entry: EntryArrived): boolean {
    return this.#sends.isEcho(entry);
  }

  /** The connection is lost: pending sends no longer wait for an answer. */
  connectionLost(): void {
    this.showAll();
    this.#sends.stopWaiting();
  }

  #takeUnshown(clientMessageId: bigint): Unshown["line"] | undefined {
    const unshown = this.#unshown.get(clientMessageId);
    unshown?.timer[Symbol.dispose]();
    this.#unshown.delete(clientMessageId);
    return unshown?.line;
  }

  /** Checks the size of a text before it is shown as sent. */
  #checkSize(place: ServerPlace, text: string): void {
    if (this.#maxContentBytes === undefined) return;
    const bytes = Buffer.byteLength(text);
    const content = Content.encode({ kind: { $case: "text", value: text } }).finish().length;
    if (content <= this.#maxContentBytes) return;
    const most = this.#maxContentBytes - (content - bytes);
    throw refuse(
      `Not sent to ${nameOf(place)}: the text has ${bytes} bytes, and this server accepts at most ${most}.`,
    );
  }

  #queue(place: ServerPlace, text: string): bigint {
    try {
      return this.#options.link.send(targetOfPlace(place), text).clientMessageId;
    } catch (error) {
      if (error instanceof QueueFullError || error instanceof LinkEndedError) throw refuse(error.message);
      throw error;
    }
  }

  /** Reports the waiting messages in one line when the last of them is stored. */
  #reportWaiting(): void {
    this.#storedLate += 1;
    if (this.#sends.waiting > 0) return;
    const what =
      this.#storedLate === 1 ? "The waiting message has" : `The ${this.#storedLate} waiting messages have`;
    this.#storedLate = 0;
    this.#options.show({
      kind: "notice",
      text: `${what} been sent.`,
      time: new Date(this.#options.clock.now()),
    });
  }

  #line(place: ServerPlace): Omit<MessageItem, "content" | "time" | "waiting"> {
    const { me, isOpen } = this.#options;
    return { kind: "message", from: me, mine: true, place, here: isOpen(place), echo: true };
  }
}
