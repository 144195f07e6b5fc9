// What this user sends: shown at once, kept by the link until it is stored, and told of only when something is wrong.

import { Content } from "../../../../gen/parley/chat/v1/entry.ts";
import type { Limits } from "../../../../gen/parley/chat/v1/event.ts";
import { LinkEndedError, QueueFullError } from "../../../link/model/errors.ts";
import type { CommandRefused, EntryArrived, SendAcked } from "../../../link/model/events.ts";
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import { refuse } from "../command/chat-command.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { Clock } from "../model/clock.ts";
import type { DisplayItem, MessageItem } from "../model/display-item.ts";
import { type Place, placeOfTarget, type ServerPlace, targetOfPlace } from "../model/place.ts";
import { shortened } from "../model/shortened.ts";
import { PendingSends } from "./pending-sends.ts";

export interface OutgoingMessagesOptions {
  readonly link: ChatLink;
  readonly me: string;
  readonly clock: Clock;
  show(note: DisplayItem): void;
  isOpen(place: ServerPlace): boolean;
  isLive(): boolean;
}

export interface Stored {
  readonly place: ServerPlace;
  readonly conversationId: string;
  readonly seq: bigint;
  /** An own entry from elsewhere that was taken for this one, to be shown after all. */
  readonly mistaken: EntryArrived | undefined;
}

export class OutgoingMessages {
  readonly #options: OutgoingMessagesOptions;
  readonly #sends = new PendingSends();
  /** Lines shown as waiting that are stored by now, and not told of. */
  #arrivedLate = 0;
  #maxContentBytes: number | undefined;

  constructor(options: OutgoingMessagesOptions) {
    this.#options = options;
  }

  /** Messages of this run that the server has not answered. */
  get unanswered(): number {
    return this.#sends.unanswered;
  }

  /** Resolves when all of them are answered. */
  answered(): Promise<void> {
    return this.#sends.answered();
  }

  /** The server's bounds, as it told them last. */
  limits(limits: Limits | undefined): void {
    // 0: a server that does not say.
    this.#maxContentBytes = limits?.maxContentBytes || undefined;
  }

  /** Resolves when it is answered, or will not be soon. @throws CommandError where it is too long, or cannot be queued */
  send(place: ServerPlace, text: string): Promise<void> {
    this.#checkSize(place, text);
    const waiting = !this.#options.isLive();
    const clientMessageId = this.#queue(place, text);
    const answered = this.#sends.add(clientMessageId, { place, text, waiting });
    const content = { kind: "text", text } as const;
    this.#options.show({ ...this.#line(place, this.#options.clock.now()), content, waiting });
    return waiting ? Promise.resolve() : answered;
  }

  acked(event: SendAcked): Stored {
    const outcome = this.#sends.acked(event);
    const { conversationId, seq } = event;
    if (outcome.kind === "new") {
      const place = placeOfTarget(event.target);
      if (!event.entryShown) {
        this.#options.show({ ...this.#line(place, event.sendTime), content: event.content });
      }
      return { place, conversationId, seq, mistaken: undefined };
    }
    if (outcome.send.waiting) this.#toldWhenAll();
    return { place: outcome.send.place, conversationId, seq, mistaken: outcome.mistaken };
  }

  refused({ clientMessageId, target, content, error }: CommandRefused): void {
    if (clientMessageId === undefined) {
      this.#options.show({ kind: "error", text: `The server refused something: ${error.message}` });
      return;
    }
    this.#sends.forget(clientMessageId);
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

  /** The entry is an own line that stands on the screen. */
  isEcho(entry: EntryArrived): boolean {
    return this.#sends.isEcho(entry);
  }

  /** Answers will take their time: nobody is to wait for them. */
  connectionLost(): void {
    this.#sends.stopWaiting();
  }

  /** Before it stands on the screen as if it were said. */
  #checkSize(place: ServerPlace, text: string): void {
    if (this.#maxContentBytes === undefined) return;
    const bytes = Buffer.byteLength(text);
    const content = Content.encode({ kind: { $case: "text", value: text } }).finish().length;
    if (content <= this.#maxContentBytes) return;
    const most = this.#maxContentBytes - (content - bytes);
    throw refuse(
      `Not sent to ${nameOf(place)}: the text has ${bytes} bytes, and this server takes at most ${most}.`,
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

  #toldWhenAll(): void {
    this.#arrivedLate += 1;
    if (this.#sends.waiting > 0) return;
    const what =
      this.#arrivedLate === 1 ? "The waiting message is" : `The ${this.#arrivedLate} waiting messages are`;
    this.#arrivedLate = 0;
    this.#options.show({ kind: "notice", text: `${what} sent.`, time: this.#options.clock.now() });
  }

  #line(place: ServerPlace, time: Date | undefined): Omit<MessageItem, "content"> {
    const { me, isOpen } = this.#options;
    return {
      kind: "message",
      time,
      from: me,
      mine: true,
      place,
      here: isOpen(place),
      waiting: false,
      echo: true,
    };
  }
}

export function nameOf(place: Place): string {
  switch (place.kind) {
    case "user":
    case "private":
      return place.username;
    case "everyone":
      return "everyone";
    case "unknown":
      return "another conversation";
  }
}
