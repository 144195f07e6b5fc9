// The chat apart from its paint: takes what a person enters and what the link tells, gives what there is to show.

import type { LinkEvent } from "../../link/model/events.ts";
import type { PrivateEvent } from "../../peer/chats/events.ts";
import type { Completion } from "../terminal/editor/line-editor.ts";
import {
  type ChatActions,
  type ChatCommand,
  isAnswer,
  type Leaving,
  refuse,
} from "./command/chat-command.ts";
import { Attention, type BellSetting } from "./incoming/attention.ts";
import { ConnectionState } from "./incoming/connection-state.ts";
import { ConversationOpener } from "./incoming/conversation-opener.ts";
import { IncomingMessages } from "./incoming/incoming-messages.ts";
import { LinkEventHandler } from "./incoming/link-events.ts";
import { LogReader } from "./incoming/log-reader.ts";
import { OnlineUsers } from "./incoming/online-users.ts";
import { TypingUsers } from "./incoming/typing-users.ts";
import { OutgoingMessages } from "./input/outgoing-messages.ts";
import { type OtherKey, TypedLines } from "./input/typed-lines.ts";
import type { ChatLink } from "./model/chat-link.ts";
import type { ChatStatus } from "./model/chat-status.ts";
import type { Clock } from "./model/clock.ts";
import { type ChatConversation, Conversations } from "./model/conversations.ts";
import type { Display, DisplayItem } from "./model/display-item.ts";
import type { ChatOutcome } from "./model/outcome.ts";
import { everyone, type Place, type PrivatePlace, privately, samePlace } from "./model/place.ts";
import type { PrivateLink, PrivateSettings } from "./model/private-link.ts";
import { shortened } from "./model/shortened.ts";
import { EndedChatGuard } from "./private/ended-chat-guard.ts";
import { PrivateController } from "./private/private-controller.ts";

export interface ChatOptions {
  readonly link: ChatLink;
  /** The server's, as the person knows it. */
  readonly address: string;
  /** The own user name. */
  readonly me: string;
  readonly clock: Clock;
  readonly display: Display;
  readonly commands: readonly ChatCommand[];
  readonly privateChats: PrivateLink;
  readonly privateSettings: PrivateSettings;
  readonly bell: BellSetting;
  /** For a person at a screen: shows the end of a conversation that is opened, and joins what comes together. */
  readonly atScreen: boolean;
  /** With which key a person says that a line in doubt is a command; undefined: there is nobody to ask. */
  readonly otherKey: OtherKey | undefined;
  leave(how: Leaving): void;
}

const PRESENCE_JOIN_MS = 500;
/** A script has no scrollback to mind, but a memory. */
const MISSED_LINES = { atScreen: 200, plain: 2_000 };

export class Chat implements ChatActions, Disposable {
  readonly #options: ChatOptions;
  readonly #conversations = new Conversations();
  readonly #attention: Attention;
  readonly #people: OnlineUsers;
  readonly #typists: TypingUsers;
  readonly #connection: ConnectionState;
  readonly #incoming: IncomingMessages;
  readonly #outgoing: OutgoingMessages;
  readonly #log: LogReader;
  readonly #opening: ConversationOpener;
  readonly #typed: TypedLines;
  readonly #following: LinkEventHandler;
  readonly privates: PrivateController;
  #open: ChatConversation | undefined;
  /** A private chat that is open in place of a conversation. */
  #openPrivate: PrivatePlace | undefined;
  readonly #lapsed: EndedChatGuard;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { link, me, clock, display, address, atScreen, bell, otherKey } = options;
    this.#attention = new Attention(bell, clock);
    this.#lapsed = new EndedChatGuard((text) => display.putBack(text));
    this.#typists = new TypingUsers(clock, () => display.refresh());
    this.#people = new OnlineUsers({
      clock,
      me,
      joinMs: atScreen ? PRESENCE_JOIN_MS : 0,
      told: (change) => this.show({ kind: "presence", ...change, time: clock.now() }),
    });
    this.#connection = new ConnectionState({ clock, address, tell: (sentence) => this.#notice(sentence) });
    const isOpen = (place: Place): boolean => samePlace(this.openPlace, place);
    const isLive = (): boolean => this.#connection.isLive;
    const show = (note: DisplayItem): void => this.show(note);
    this.#outgoing = new OutgoingMessages({ link, me, clock, show, isOpen, isLive });
    this.#typed = new TypedLines({
      actions: this,
      otherKey,
      putBack: (text) => display.putBack(text),
      tell: (sentence) => this.#notice(sentence),
      usernames: () => {
        const names = new Set([...this.#people.known, ...this.#conversations.usernames()]);
        names.delete(me);
        return names;
      },
    });
    this.#log = new LogReader({ link, me, isOpen, conversations: this.#conversations });
    this.#incoming = new IncomingMessages({
      link,
      display: { show, refresh: () => display.refresh(), bell: () => display.bell() },
      conversations: this.#conversations,
      attention: this.#attention,
      isOpen,
      mostMissed: atScreen ? MISSED_LINES.atScreen : MISSED_LINES.plain,
      seesAll: !atScreen,
      isEcho: (entry) => this.#outgoing.isEcho(entry),
    });
    this.#opening = new ConversationOpener({
      me,
      conversations: this.#conversations,
      incoming: this.#incoming,
      log: this.#log,
      atScreen,
      isLive,
      current: () => (this.#openPrivate === undefined ? this.#open : undefined),
      opened: (conversation) => {
        this.#open = conversation;
        this.#openPrivate = undefined;
        this.#lapsed.forget();
      },
      show,
      tell: (sentence) => this.#notice(sentence),
    });
    this.#following = new LinkEventHandler({
      me,
      address,
      link,
      conversations: this.#conversations,
      connection: this.#connection,
      people: this.#people,
      typists: this.#typists,
      incoming: this.#incoming,
      outgoing: this.#outgoing,
      show,
      tell: (sentence) => this.#notice(sentence),
      trying: (work) => this.#trying(work),
    });
    this.privates = new PrivateController({
      chats: options.privateChats,
      settings: options.privateSettings,
      me,
      clock,
      attention: this.#attention,
      hasPerson: otherKey !== undefined,
      seesAll: !atScreen,
      waitsForRoom: !atScreen,
      display,
      isOpen: (username) => isOpen(privately(username)),
      over: (username, byMe = false) => {
        if (this.#openPrivate?.username !== username) return;
        this.close();
        if (!byMe) this.#lapsed.over(username);
      },
    });
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

  get openPlace(): Place | undefined {
    return this.#openPrivate ?? this.#open?.place;
  }

  /** Resolves when every message of this run is answered, and every private one has arrived or will not. */
  async answered(): Promise<void> {
    await Promise.all([this.#outgoing.answered(), this.privates.settled()]);
  }

  /** How it came to its end, once the link has ended. */
  get outcome(): ChatOutcome {
    const { state } = this.#connection;
    const ending = state.phase === "ended" ? state.ending : ({ kind: "closed" } as const);
    return { kind: "ended", ending, reached: this.#following.greeted };
  }

  get status(): ChatStatus {
    return {
      connection: this.#connection.state,
      openPlace: this.openPlace,
      peer: this.#peer,
      online: this.#people.online.length,
      unanswered: this.#outgoing.unanswered,
      heldBack: this.link.heldBack.length,
      unread: [
        ...this.privates.unread,
        ...this.#conversations.unread().map(({ place, unread }) => ({ place, count: unread })),
      ],
      unseen: this.#attention.unseen,
    };
  }

  /** One event of the link. Await it before the next one. */
  async take(event: LinkEvent): Promise<void> {
    await this.#following.take(event);
    this.#options.display.refresh();
  }

  /** One event of the private chats. Await it before the next one. */
  takePrivate(event: PrivateEvent): Promise<void> {
    return this.privates.take(event);
  }

  /** Whether the person has been asked about this very line, and to enter it is the answer. */
  isInDoubt(text: string): boolean {
    return this.#typed.isInDoubt(text);
  }

  /**
   * One line that the person entered. Await it before the next one; what goes wrong is shown. `isSure`: isInDoubt, when
   * it was entered.
   */
  async enter(text: string, isSure = this.isInDoubt(text)): Promise<void> {
    this.#attention.activity();
    await this.#trying(async () => {
      if (this.openPlace === undefined) this.#lapsed.check(text);
      await this.#typed.enter(text, isSure);
    });
    this.#options.display.refresh();
  }

  /** A line that is to be run as a command, also where a conversation is open. As enter. */
  async run(text: string): Promise<void> {
    this.#attention.activity();
    this.#lapsed.forget();
    await this.#trying(() => this.#typed.run(text));
    this.#options.display.refresh();
  }

  /** The line being edited changed. */
  edited(text: string): void {
    this.#typed.edited(text);
  }

  /** The terminal gained or lost the focus. */
  focus(focused: boolean): void {
    this.#attention.focus(focused);
    if (focused) {
      if (this.#open !== undefined) this.#incoming.seen(this.#open);
      if (this.#openPrivate !== undefined) this.privates.seen(this.#openPrivate.username);
      const broadcasts = this.#conversations.find(everyone);
      if (broadcasts?.shown === true) this.#incoming.seen(broadcasts);
    }
    this.#options.display.refresh();
  }

  /** Opens the private chat, or the direct conversation with the most unread messages. What goes wrong is shown. */
  async openNextUnread(): Promise<void> {
    await this.#trying(() => this.#openNextUnread());
    this.#options.display.refresh();
  }

  complete(before: string, text = before): Completion | "run" | undefined {
    return this.#typed.complete(before, text);
  }

  show(note: DisplayItem): void {
    this.#options.display.show(note);
  }

  open(username: string): Promise<void> {
    return this.#opening.open(username);
  }

  close(): void {
    this.#open = undefined;
    this.#openPrivate = undefined;
  }

  openPrivate(username: string): void {
    this.privates.opened(username);
    this.close();
    this.#lapsed.forget();
    this.#openPrivate = privately(username);
  }

  async send(place: Place, text: string): Promise<void> {
    if (place.kind === "private") {
      await this.privates.say(place.username, text);
      this.link.reportActivity();
      return;
    }
    if (this.#options.atScreen && this.#connection.isLive && place.kind === "user") {
      await this.#checkUser(place, text);
    }
    const answered = this.#outgoing.send(place, text);
    if (!this.#options.atScreen) await answered;
  }

  async showHistory(place: Place, entries: number): Promise<void> {
    if (place.kind === "private") {
      for (const note of this.privates.history(place.username, entries)) this.show(note);
      return;
    }
    for await (const note of this.#log.history(place, entries)) this.show(note);
  }

  leave(how: Leaving): void {
    this.#options.leave(how);
  }

  [Symbol.dispose](): void {
    this.privates[Symbol.dispose]();
    this.#people[Symbol.dispose]();
    this.#typists[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  async #openNextUnread(): Promise<void> {
    const [secret] = this.privates.unread;
    if (secret?.place.kind === "private") {
      const { username } = secret.place;
      if (this.privates.canOpen(username)) this.openPrivate(username);
      else {
        this.#notice(`The private chat with ${username} is over: what was said stands above.`);
        this.privates.seen(username);
      }
      return;
    }
    const next = this.#conversations.unread().find((conversation) => conversation !== this.#open);
    if (next?.place.kind !== "user") {
      this.#notice("Nothing is unread.");
      return;
    }
    await this.open(next.place.username);
    this.link.reportActivity();
  }

  /** A line to nobody must not stand on the screen as if it were said. */
  async #checkUser(place: Extract<Place, { kind: "user" }>, text: string): Promise<void> {
    const { username } = place;
    if (this.#people.known.has(username) || this.#conversations.find(place) !== undefined) return;
    if (await this.#log.isUser(username)) return;
    throw refuse(`Not sent: there is no user ${username}. “${shortened(text)}”`);
  }

  get #peer(): ChatStatus["peer"] {
    const place = this.openPlace;
    if (place?.kind === "private") {
      const { username } = place;
      return { online: this.#people.isOnline(username), ...this.privates.statusOf(username) };
    }
    if (place?.kind !== "user") return undefined;
    const { username } = place;
    return {
      online: this.#people.isOnline(username),
      typing: this.#typists.isTyping(username),
      mark: this.#open?.mark,
      path: undefined,
    };
  }

  #notice(text: string): void {
    this.show({ kind: "notice", text, time: this.clock.now() });
  }

  async #trying<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isAnswer(error)) throw error;
      this.show({ kind: "error", text: error.message });
      return undefined;
    }
  }
}
