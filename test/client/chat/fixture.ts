// A chat with a fake link, fake private chats and a manual clock, whose display is read as text.

import { status } from "@grpc/grpc-js";
import { Chat } from "../../../client/cli/chat/chat.ts";
import type { Leaving } from "../../../client/cli/chat/command/chat-command.ts";
import { chatCommands } from "../../../client/cli/chat/commands/table.ts";
import type { BellSetting } from "../../../client/cli/chat/incoming/attention.ts";
import type { ChatLink } from "../../../client/cli/chat/model/chat-link.ts";
import type { DisplayItem } from "../../../client/cli/chat/model/display-item.ts";
import { plainLines } from "../../../client/cli/chat/plain/render-plain.ts";
import { MessageRenderer } from "../../../client/cli/chat/screen/render.ts";
import { promptOf, statusOf, titleOf } from "../../../client/cli/chat/screen/render-status.ts";
import type { PrivateSettings } from "../../../client/cli/private/settings.ts";
import type { EntryArrived, LinkEvent, LinkState } from "../../../client/link/model/events.ts";
import type { SendTarget, UnsentMessage } from "../../../client/link/model/send-queue.ts";
import type { ListOptions } from "../../../client/link/server/account.ts";
import { LogInOutcome } from "../../../gen/parley/chat/v1/auth_service.ts";
import type { Block } from "../../../gen/parley/chat/v1/block_service.ts";
import { Content } from "../../../gen/parley/chat/v1/entry.ts";
import type { Event, Limits } from "../../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { askingSettings, FakePrivateChats } from "./fake-private-chats.ts";
import { FixtureClock, START } from "./fixture-clock.ts";
import { FixtureLogs, user } from "./fixture-logs.ts";

export { user } from "./fixture-logs.ts";

const raw: Event = { kind: undefined };
export class Fixture implements Disposable {
  readonly clock = new FixtureClock();
  readonly link: ChatLink = this.#link();
  readonly privates = new FakePrivateChats();
  /** The promise that `settled` of the link returns. */
  settled: Promise<void> = Promise.resolve();
  readonly chat: Chat;
  /** The lines shown, oldest first. */
  readonly lines: string[] = [];
  readonly left: Leaving[] = [];
  /** Typing notifications that were sent, such as "yoda true". */
  readonly typed: string[] = [];
  readonly sent: { id: bigint; target: SendTarget; text: string }[] = [];
  readonly read: { conversationId: string; seq: bigint }[] = [];
  readonly held: UnsentMessage[] = [];
  readonly released: bigint[] = [];
  /** Blocks and unblocks that were requested. */
  readonly blocked: string[] = [];
  /** How often the chat asked to reconnect at once. */
  retries = 0;
  /** How often activity was reported. */
  activity = 0;
  bells = 0;
  limits: Limits | undefined;
  /** The line that was put back into the editor last. */
  putBack = "";
  /** More users are online than a Welcome lists. */
  moreOnline = false;
  /** The commands that show a folded line. */
  readonly hints: string[] = [];
  /** The user is typing something, so no line can be put back. */
  isTyping = false;
  /** Calls, such as "messages", or "background messages" for calls that are no activity of the user. */
  readonly asked: string[] = [];
  state: LinkState = { phase: "connecting", attempt: 1 };
  /** Calls fail as with a lost connection. */
  offline = false;
  listings = 0;
  readonly #logs = new FixtureLogs();
  readonly #known: ReadonlySet<string>;
  readonly #transcript = new MessageRenderer(START);
  #lastId = 100n;

  constructor(
    options: {
      bell?: BellSetting;
      plain?: boolean;
      isTyped?: boolean;
      users?: string[];
      privately?: PrivateSettings;
    } = {},
  ) {
    this.#known = new Set(options.users ?? ["luke", "yoda", "leia", "vader"]);
    this.chat = new Chat({
      link: this.link,
      address: "server:1",
      me: "luke",
      clock: this.clock,
      commands: chatCommands,
      privateChats: this.privates,
      privateSettings: options.privately ?? askingSettings,
      bell: options.bell ?? "direct",
      atScreen: options.plain !== true,
      commandKey: options.plain !== true ? "Tab" : options.isTyped === true ? "none" : undefined,
      leave: (how) => this.left.push(how),
      display: {
        show: (note) => this.lines.push(...this.#textOf(note, options.plain === true)),
        refresh: () => undefined,
        bell: () => {
          this.bells += 1;
        },
        putBack: (text) => {
          if (!this.isTyping) this.putBack = text;
          return !this.isTyping;
        },
      },
    });
  }

  /** The wall clock. */
  get now(): Date {
    return new Date(this.clock.now());
  }

  get prompt(): string {
    return promptOf(this.chat.status).plain;
  }

  get status(): string {
    return statusOf(this.chat.status, this.now)
      .map(({ plain }) => plain)
      .join(" · ");
  }

  get title(): string {
    return titleOf(this.chat.status);
  }

  /** Lines shown since the last call. */
  shown(): string[] {
    return this.lines.splice(0);
  }

  /** Connects, with those online, and catches up with the events of `missed`. */
  async connect(online: string[] = [], missed: LinkEvent[] = []): Promise<void> {
    this.offline = false;
    await this.#enter({ phase: "catching-up" });
    await this.welcome(online);
    for (const event of missed) await this.chat.take(event);
    await this.chat.take({ type: "caught-up", serverTime: this.now, raw });
    await this.#enter({ phase: "live" });
    // The chat reports its start. Tests count from here.
    this.activity = 0;
  }

  /** A stream opens. */
  async welcome(online: string[] = []): Promise<void> {
    await this.chat.take({
      type: "welcome",
      serverId: "s",
      sessionId: "x",
      deviceId: "d",
      user: user("luke"),
      limits: this.limits,
      serverTime: this.now,
      broadcastConversationId: this.#logs.idOf(undefined),
      online: online.map(user),
      onlineNextPageToken: this.moreOnline ? "more" : "",
      raw,
    });
  }

  async disconnect(cause: Error = new Error("Connection dropped.")): Promise<void> {
    this.offline = true;
    const retryTime = new Date(this.now.getTime() + 3_000);
    await this.#enter({ phase: "waiting", retryTime, cause });
  }

  async #enter(state: LinkState): Promise<void> {
    this.state = state;
    await this.chat.take({ type: "state", state });
  }

  /** Own entries that the peer never receives, by user name. */
  get undelivered(): FixtureLogs["undelivered"] {
    return this.#logs.undelivered;
  }

  /** Adds an entry to the fake log, and returns it as the link hands it out. */
  entry(from: string, text: string, options: Partial<EntryArrived> & { to?: string } = {}): EntryArrived {
    return this.#logs.entry(from, text, { sendTime: this.now, ...options });
  }

  /** Adds entries to a log before the chat starts; `read` of them are read, and an earlier run showed `delivered`. */
  before(peer: string, texts: string[], read: number, delivered = 0): void {
    for (const text of texts) this.entry(peer, text);
    this.#logs.of(peer).readSeq = BigInt(read);
    this.#logs.of(peer).deliveredSeq = BigInt(delivered);
  }

  /** The server acks a send. */
  async ack(
    index: number,
    options: { seq?: bigint; entryShown?: boolean; withheld?: boolean } = {},
  ): Promise<void> {
    const send = this.sent[index];
    if (send === undefined) throw new Error("No such message was sent.");
    const peer = send.target.kind === "user" ? send.target.username : undefined;
    const seq =
      options.seq ??
      this.entry("luke", send.text, peer === undefined ? { kind: "broadcast" } : { to: peer }).seq;
    await this.chat.take({
      type: "acked",
      clientMessageId: send.id,
      target: send.target,
      content: { kind: "text", text: send.text },
      conversationId: this.#logs.idOf(peer),
      seq,
      sendTime: this.now,
      repeatedSend: false,
      withheld: options.withheld ?? false,
      entryShown: options.entryShown ?? false,
    });
  }

  unsent(id: bigint, username: string, text: string): UnsentMessage {
    const content = Content.encode({ kind: { $case: "text", value: text } }).finish();
    const queuedTime = new Date(this.now.getTime() - 2 * 3_600_000);
    return { clientMessageId: id, target: { kind: "user", username }, content, queuedTime, held: true };
  }

  idOf(peer: string): string {
    return this.#logs.idOf(peer);
  }

  [Symbol.dispose](): void {
    this.chat[Symbol.dispose]();
  }

  #textOf(note: DisplayItem, plain: boolean): string[] {
    if (plain) return plainLines(note, this.now);
    const shown = this.#transcript.linesOf(note, this.now);
    this.hints.push(...shown.flatMap(({ foldedFor }) => foldedFor ?? []));
    return shown.map(({ text }) => text.plain);
  }

  #ask(what: string, { background = false }: ListOptions): void {
    this.asked.push(background ? `background ${what}` : what);
  }

  async #blocking(username: string, done: string): Promise<Block> {
    this.asked.push("blocks");
    if (this.offline || !this.#known.has(username)) {
      const message = "There is no user of that name.";
      throw new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message });
    }
    this.blocked.push(done);
    return { user: user(username), createTime: this.now };
  }

  #link(): ChatLink {
    const fixture = this;
    const lost = (): void => {
      if (fixture.offline) throw new RpcError({ code: status.UNAVAILABLE, reason: "", message: "lost" });
    };
    return {
      get state() {
        return fixture.state;
      },
      send(target, text) {
        fixture.#lastId += 1n;
        fixture.sent.push({ id: fixture.#lastId, target, text });
        return { clientMessageId: fixture.#lastId, done: new Promise(() => undefined) };
      },
      settled: () => fixture.settled,
      get heldBack() {
        return fixture.held;
      },
      release: (id) => fixture.released.push(id) > 0,
      drop: (id) => fixture.held.splice(0).some(({ clientMessageId }) => clientMessageId === id),
      markRead: (conversationId, seq) => fixture.read.push({ conversationId, seq }),
      retryNow: () => {
        fixture.retries += 1;
      },
      setTyping: (target, typing) => {
        if (target.kind === "user") this.typed.push(`${target.username} ${typing}`);
      },
      reportActivity: () => {
        fixture.activity += 1;
      },
      account: {
        blockUser: (username) => fixture.#blocking(username, `block ${username}`),
        unblockUser: async (username) => {
          await fixture.#blocking(username, `unblock ${username}`);
          return user(username);
        },
        async *listBlocks() {
          lost();
          yield { user: user("vader"), createTime: fixture.now };
        },
        async *listLogIns() {
          lost();
          yield {
            time: fixture.now,
            username: "luke",
            deviceId: "d1",
            client: { name: "parley", version: "1", deviceName: "desk" },
            address: "10.0.0.7",
            outcome: LogInOutcome.WRONG_PASSWORD,
            count: 2,
            firstTime: fixture.now,
          };
        },
        async *listUsers(wanted = {}) {
          fixture.#ask("users", wanted);
          lost();
          yield { user: user("leia"), online: true, lastOnlineTime: undefined, bot: true };
          const lastOnlineTime = new Date(fixture.now.getTime() - 5 * 60_000);
          yield { user: user("vader"), online: false, lastOnlineTime, bot: false };
        },
        async *listConversations(wanted = {}) {
          fixture.#ask("conversations", wanted);
          lost();
          yield* fixture.#logs.conversations();
        },
        async *listMessages(target, range = {}) {
          fixture.#ask("messages", range);
          lost();
          fixture.listings += 1;
          const peer = target.kind === "user" ? target.username : undefined;
          if (peer !== undefined && !fixture.#known.has(peer)) {
            const message = "There is no user of that name.";
            throw new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message });
          }
          yield* fixture.#logs.pages(target, range);
        },
      },
    };
  }
}

/** A fixture whose chat is connected, without the lines shown so far. */
export async function live(
  options: ConstructorParameters<typeof Fixture>[0] = {},
  online = ["yoda"],
): Promise<Fixture> {
  const fixture = new Fixture(options);
  await fixture.connect(online);
  fixture.shown();
  return fixture;
}
