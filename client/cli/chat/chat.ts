// The chat apart from its paint: takes what a person enters and what the link tells, gives what there is to show.

import { ConnectError } from "../../../rpc/dial.ts";
import { RpcError } from "../../../rpc/status.ts";
import type { LinkEvent, LinkState, Welcomed } from "../../link/events.ts";
import { CommandError } from "../exit.ts";
import { WITHHELD } from "../sending.ts";
import type { Completion } from "../terminal/line-editor.ts";
import { Attention, type BellSetting } from "./attention.ts";
import type { ChatLink } from "./chat-link.ts";
import type { ChatStatus } from "./chat-status.ts";
import type { Clock } from "./clock.ts";
import { type ChatActions, type ChatCommand, type Leaving, refuse } from "./commands/command.ts";
import { Connection } from "./connection.ts";
import { type Conversation, Conversations } from "./conversations.ts";
import { Incoming } from "./incoming.ts";
import { LogReader } from "./log-reader.ts";
import type { Display, Note } from "./note.ts";
import { Opening } from "./opening.ts";
import type { ChatOutcome } from "./outcome.ts";
import { Outgoing, shortened } from "./outgoing.ts";
import { People } from "./people.ts";
import { everyone, type Place, samePlace } from "./place.ts";
import { type OtherKey, TypedLines } from "./typed-lines.ts";
import { Typists } from "./typists.ts";

export interface ChatOptions {
  readonly link: ChatLink;
  /** The server's, as the person knows it. */
  readonly address: string;
  /** The own user name. */
  readonly me: string;
  readonly clock: Clock;
  readonly display: Display;
  readonly commands: readonly ChatCommand[];
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
  readonly #people: People;
  readonly #typists: Typists;
  readonly #connection: Connection;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #log: LogReader;
  readonly #opening: Opening;
  readonly #typed: TypedLines;
  #open: Conversation | undefined;
  #greeted = false;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { link, me, clock, display, address, atScreen, bell, otherKey } = options;
    this.#attention = new Attention(bell, clock);
    this.#typists = new Typists(clock, () => display.refresh());
    this.#people = new People({
      clock,
      me,
      joinMs: atScreen ? PRESENCE_JOIN_MS : 0,
      told: (change) => this.show({ kind: "presence", ...change, time: clock.now() }),
    });
    this.#connection = new Connection({ clock, address, tell: (sentence) => this.#notice(sentence) });
    const isOpen = (place: Place): boolean => samePlace(this.#open?.place, place);
    const isLive = (): boolean => this.#connection.isLive;
    const show = (note: Note): void => this.show(note);
    this.#outgoing = new Outgoing({ link, me, clock, show, isOpen, isLive });
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
    this.#incoming = new Incoming({
      link,
      display: { show, refresh: () => display.refresh(), bell: () => display.bell() },
      conversations: this.#conversations,
      attention: this.#attention,
      isOpen,
      mostMissed: atScreen ? MISSED_LINES.atScreen : MISSED_LINES.plain,
      seesAll: !atScreen,
      isEcho: (entry) => this.#outgoing.isEcho(entry),
    });
    this.#opening = new Opening({
      me,
      conversations: this.#conversations,
      incoming: this.#incoming,
      log: this.#log,
      atScreen,
      isLive,
      current: () => this.#open,
      opened: (conversation) => {
        this.#open = conversation;
      },
      show,
      tell: (sentence) => this.#notice(sentence),
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
    return this.#open?.place;
  }

  /** Resolves when every message of this run is answered. */
  answered(): Promise<void> {
    return this.#outgoing.answered();
  }

  /** How it came to its end, once the link has ended. */
  get outcome(): ChatOutcome {
    const { state } = this.#connection;
    const ending = state.phase === "ended" ? state.ending : ({ kind: "closed" } as const);
    return { kind: "ended", ending, reached: this.#greeted };
  }

  get status(): ChatStatus {
    const place = this.#open?.place;
    const peer =
      place?.kind === "user"
        ? {
            online: this.#people.isOnline(place.username),
            typing: this.#typists.isTyping(place.username),
            mark: this.#open?.mark,
          }
        : undefined;
    return {
      connection: this.#connection.state,
      openPlace: place,
      peer,
      online: this.#people.online.length,
      unanswered: this.#outgoing.unanswered,
      heldBack: this.link.heldBack.length,
      unread: this.#conversations.unread().map(({ place, unread }) => ({ place, count: unread })),
      unseen: this.#attention.unseen,
    };
  }

  /** One event of the link. Await it before the next one. */
  async take(event: LinkEvent): Promise<void> {
    switch (event.type) {
      case "state":
        await this.#state(event.state);
        break;
      case "welcome":
        await this.#welcome(event);
        break;
      case "caught-up":
        await this.#trying(() => this.#incoming.caughtUp());
        break;
      case "entry":
        this.#typists.stopped(event.sender.username);
        this.#incoming.entry(event);
        break;
      case "gap":
        this.#incoming.leftOut(event);
        break;
      case "omitted":
        // Not for this reader; where it was, history says when asked.
        this.#conversations.byId(event.conversationId)?.raiseHead(event.toSeq);
        break;
      case "acked":
        this.#stored(this.#outgoing.acked(event));
        if (event.withheld) this.#notice(WITHHELD);
        break;
      case "refused":
        this.#outgoing.refused(event);
        break;
      case "held-back":
        this.#outgoing.heldBack(event.messages);
        break;
      case "markers":
        this.#incoming.markers(event);
        break;
      case "typing":
        this.#typists.heard(event.user.username, event.typing);
        break;
      case "presence":
        this.#people.changed(event.cameOnline, event.wentOffline);
        break;
      case "introduction-requested":
      case "introduction-closed":
        // Told by the private chats.
        break;
      case "reset":
        this.#conversations.forget(event.conversationId);
        this.#notice("The server's log is another one than before: what it holds may be shown again.");
        break;
    }
    this.#options.display.refresh();
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
    await this.#trying(() => this.#typed.enter(text, isSure));
    this.#options.display.refresh();
  }

  /** A line that is to be run as a command, also where a conversation is open. As enter. */
  async run(text: string): Promise<void> {
    this.#attention.activity();
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
      const broadcasts = this.#conversations.find(everyone);
      if (broadcasts?.shown === true) this.#incoming.seen(broadcasts);
    }
    this.#options.display.refresh();
  }

  /** Opens the direct conversation with the most unread messages. */
  async openNextUnread(): Promise<void> {
    const next = this.#conversations.unread().find((conversation) => conversation !== this.#open);
    if (next?.place.kind !== "user") {
      this.#notice("Nothing is unread.");
      return;
    }
    const { username } = next.place;
    await this.#trying(async () => {
      await this.open(username);
      this.link.reportActivity();
    });
    this.#options.display.refresh();
  }

  complete(before: string, text = before): Completion | "run" | undefined {
    return this.#typed.complete(before, text);
  }

  show(note: Note): void {
    this.#options.display.show(note);
  }

  open(username: string): Promise<void> {
    return this.#opening.open(username);
  }

  close(): void {
    this.#open = undefined;
  }

  async send(place: Place, text: string): Promise<void> {
    if (this.#options.atScreen && this.#connection.isLive && place.kind === "user") {
      await this.#checkUser(place, text);
    }
    const answered = this.#outgoing.send(place, text);
    if (!this.#options.atScreen) await answered;
  }

  async showHistory(place: Place, entries: number): Promise<void> {
    for await (const note of this.#log.history(place, entries)) this.show(note);
  }

  leave(how: Leaving): void {
    this.#options.leave(how);
  }

  [Symbol.dispose](): void {
    this.#people[Symbol.dispose]();
    this.#typists[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  /** A line to nobody must not stand on the screen as if it were said. */
  async #checkUser(place: Extract<Place, { kind: "user" }>, text: string): Promise<void> {
    const { username } = place;
    if (this.#people.known.has(username) || this.#conversations.find(place) !== undefined) return;
    if (await this.#log.isUser(username)) return;
    throw refuse(`Not sent: there is no user ${username}. “${shortened(text)}”`);
  }

  async #state(state: LinkState): Promise<void> {
    this.#connection.take(state);
    if (state.phase !== "waiting" && state.phase !== "ended") return;
    this.#outgoing.connectionLost();
    // Each entry is handed out once: what is here already is shown now.
    await this.#trying(() => this.#incoming.caughtUp());
  }

  async #welcome(event: Welcomed): Promise<void> {
    const { account } = this.link;
    this.#outgoing.limits(event.limits);
    await this.#trying(async () => {
      const online = [...event.online];
      if (event.onlineNextPageToken !== "") {
        for await (const { user, online: isHere } of account.listUsers({
          pageToken: event.onlineNextPageToken,
          background: true,
        })) {
          if (user !== undefined && isHere) online.push(user);
        }
      }
      this.#people.met(online);
    });
    this.#conversations.at(everyone, event.broadcastConversationId);
    await this.#trying(async () => {
      for await (const listed of account.listConversations({ background: true }))
        this.#incoming.learn(listed);
    });
    this.#incoming.streamOpened();
    if (this.#greeted) return;
    this.#greeted = true;
    this.show({ kind: "greeting", me: this.me, address: this.#options.address, online: this.#people.online });
  }

  #stored({ place, conversationId, seq, mistaken }: ReturnType<Outgoing["acked"]>): void {
    const conversation = this.#conversations.at(place, conversationId);
    conversation.raiseHead(seq);
    conversation.raiseOwn(seq);
    conversation.shown = true;
    // Who answers has read what he answers to.
    this.#incoming.seen(conversation);
    if (mistaken !== undefined) this.#incoming.mistaken(mistaken);
  }

  #notice(text: string): void {
    this.show({ kind: "notice", text, time: this.clock.now() });
  }

  /** What was refused or could not be reached is an answer too; anything else is a fault of this program. */
  async #trying<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof RpcError || error instanceof ConnectError))
        throw error;
      this.show({ kind: "error", text: error.message });
      return undefined;
    }
  }
}
