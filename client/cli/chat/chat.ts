// The chat without its display: takes the lines that the user enters and the events of the link, and produces display
// items.
import type { Clock } from "../../../time/clock.ts";
import type { LinkEvent } from "../../link/model/events.ts";
import type { PrivateEvent } from "../../peer/chats/events.ts";
import type { Completion } from "../terminal/editor/line-editor.ts";
import { type ChatActions, type ChatCommand, isAnswer, type Leaving } from "./command/chat-command.ts";
import type { ChatLink } from "./model/chat-link.ts";
import type { ChatStatus } from "./model/chat-status.ts";
import type { DisplayItem } from "./model/display-item.ts";
import type { ChatOutcome } from "./model/outcome.ts";
import { everyone, type Place } from "./model/place.ts";
import type { PrivateActions } from "./model/private-link.ts";
import { type ChatOptions, ChatParts } from "./parts.ts";

export class Chat implements ChatActions, Disposable {
  readonly #options: ChatOptions;
  readonly #parts: ChatParts;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#parts = new ChatParts(options, { actions: this, attempt: (work) => this.#attempt(work) });
  }

  get link(): ChatLink {
    return this.#options.link;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get commands(): readonly ChatCommand[] {
    return this.#options.commands;
  }

  get me(): string {
    return this.#options.me;
  }

  get privates(): PrivateActions {
    return this.#parts.privates;
  }

  get openPlace(): Place | undefined {
    return this.#parts.open.place;
  }

  /** Resolves when every message of this run is answered, and no line of a private chat waits or is on its way. */
  async answered(): Promise<void> {
    await Promise.all([this.#parts.outgoing.answered(), this.#parts.privates.settled()]);
  }

  /** Shows what is not shown yet. Call it before the screen ends. */
  showRest(): void {
    this.#parts.outgoing.showAll();
  }

  /** How the chat ended, once the link has ended. */
  get outcome(): ChatOutcome {
    const { state } = this.#parts.connection;
    const ending = state.phase === "ended" ? state.ending : ({ kind: "closed" } as const);
    return { kind: "ended", ending, reached: this.#parts.linkEvents.greeted };
  }

  get status(): ChatStatus {
    const { connection, onlineUsers, outgoing, privates, conversations, attention } = this.#parts;
    return {
      connection: connection.state,
      openPlace: this.openPlace,
      peer: this.#peer,
      online: onlineUsers.online.length,
      unanswered: outgoing.unanswered,
      heldBack: this.link.heldBack.length,
      unread: [
        ...privates.unread,
        ...conversations
          .unread()
          .map(({ place, unread, unreadIsCut: isCut }) => ({ place, count: unread, isCut })),
      ],
      unseen: attention.unseen,
    };
  }

  /** Handles one event of the link. Await it before the next one. */
  async take(event: LinkEvent): Promise<void> {
    await this.#parts.linkEvents.take(event);
    this.#options.display.refresh();
  }

  /** Handles one event of the private chats. Await it before the next one. */
  takePrivate(event: PrivateEvent): Promise<void> {
    return this.#parts.privates.take(event);
  }

  /** Whether the user was asked about this line, so that entering it again confirms it. */
  isInDoubt(text: string): boolean {
    return this.#parts.typedLines.isInDoubt(text);
  }

  /** Whether the line is shown before it is handled: a command whose answer does not contain it. */
  isEchoed(text: string): boolean {
    return this.#parts.typedLines.isEchoed(text);
  }

  /**
   * Handles one line that the user entered. Await it before the next one; errors are shown. `isSure`: isInDoubt was
   * true when the user entered it.
   */
  async enter(text: string, isSure = this.isInDoubt(text)): Promise<void> {
    const { attention, endedChatGuard, typedLines } = this.#parts;
    // The person is waiting for the connection, with this line or an empty one.
    const isRetry = this.#options.commandKey !== undefined && this.link.state.phase === "waiting";
    attention.activity();
    if (text.trim() === "") this.#enterNothing();
    await this.#attempt(async () => {
      if (this.openPlace === undefined) endedChatGuard.check(text);
      await typedLines.enter(text, isSure);
    });
    if (isRetry) this.link.retryNow();
    this.#options.display.refresh();
  }

  /** Runs a line as a command, even if a conversation is open. Otherwise like enter. */
  async run(text: string): Promise<void> {
    const { attention, endedChatGuard, typedLines } = this.#parts;
    attention.activity();
    endedChatGuard.forget();
    await this.#attempt(() => typedLines.run(text));
    this.#options.display.refresh();
  }

  /** The line in the editor changed. */
  edited(text: string): void {
    this.#parts.typedLines.edited(text);
  }

  /** The terminal gained or lost the focus. Gaining it marks what is on the screen as read. */
  focus(focused: boolean): void {
    const { attention, open, incoming, privates, conversations } = this.#parts;
    attention.focus(focused);
    if (focused) {
      if (open.conversation !== undefined) incoming.seen(open.conversation);
      if (open.privateUser !== undefined) privates.markRead(open.privateUser);
      const broadcasts = conversations.find(everyone);
      if (broadcasts?.shown === true) incoming.seen(broadcasts);
    }
    this.#options.display.refresh();
  }

  /**
   * Opens a private chat with unread lines, or else the conversation with the most unread messages. Errors are shown.
   */
  async openNextUnread(): Promise<void> {
    await this.#attempt(() => this.#openNextUnread());
    this.#options.display.refresh();
  }

  complete(before: string, text = before): Completion | "run" | undefined {
    return this.#parts.typedLines.complete(before, text);
  }

  show(item: DisplayItem): void {
    this.#options.display.show(item);
  }

  open(username: string): Promise<void> {
    return this.#parts.opener.open(username);
  }

  close(): void {
    this.#parts.open.close();
  }

  openPrivate(username: string): void {
    const { privates, open, endedChatGuard } = this.#parts;
    privates.opened(username);
    open.openPrivate(username);
    endedChatGuard.forget();
  }

  async send(place: Place, text: string): Promise<void> {
    const { privates, outgoing } = this.#parts;
    if (place.kind === "private") {
      await privates.send(place.username, text);
      this.#reportActivity();
      return;
    }
    const answered = outgoing.send(place, text);
    if (!this.#options.atScreen) await answered;
  }

  async showHistory(place: Place, entries: number): Promise<void> {
    const { privates, log } = this.#parts;
    if (place.kind === "private") {
      for (const item of privates.history(place.username, entries)) this.show(item);
      this.#reportActivity();
      return;
    }
    for await (const item of log.history(place, entries)) this.show(item);
  }

  leave(how: Leaving): void {
    this.#options.leave(how);
  }

  /** Reports the activity if the server does not notice it from a call or a stored message. */
  commandDone({ isLocal, sends }: ChatCommand): void {
    if (isLocal === true) this.#reportActivity();
    else if (sends !== true) this.#parts.idleWarning.active();
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]();
  }

  async #openNextUnread(): Promise<void> {
    const { privates, conversations, open } = this.#parts;
    const [unreadPrivate] = privates.unread;
    if (unreadPrivate?.place.kind === "private") {
      const { username } = unreadPrivate.place;
      if (privates.canOpen(username)) this.openPrivate(username);
      else {
        this.#notify(`The private chat with ${username} has ended. Its lines are above.`);
        privates.markRead(username);
      }
      return;
    }
    const next = conversations.unread().find((conversation) => conversation !== open.conversation);
    if (next?.place.kind !== "user") {
      this.#notify("There are no unread messages.");
      return;
    }
    await this.open(next.place.username);
    this.#reportActivity();
  }

  /** Enter on an empty line does what the program last suggested. */
  #enterNothing(): void {
    if (!this.#parts.idleWarning.isWarning || !this.#parts.connection.isLive) return;
    this.#reportActivity();
    this.#notify("You stay logged in.");
  }

  #reportActivity(): void {
    this.link.reportActivity();
    if (this.#parts.connection.isLive) this.#parts.idleWarning.active();
  }

  get #peer(): ChatStatus["peer"] {
    const { onlineUsers, typingUsers, privates, open } = this.#parts;
    const place = this.openPlace;
    if (place?.kind === "private") {
      const { username } = place;
      return { online: onlineUsers.isOnline(username), ...privates.statusOf(username) };
    }
    if (place?.kind !== "user") return undefined;
    const { username } = place;
    return {
      online: onlineUsers.isOnline(username),
      typing: typingUsers.isTyping(username),
      mark: open.conversation?.mark,
      path: undefined,
    };
  }

  #notify(text: string): void {
    this.show({ kind: "notice", text, time: new Date(this.clock.now()) });
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isAnswer(error)) throw error;
      this.show({ kind: "error", text: error.message });
      return undefined;
    }
  }
}
