// A chat on a stage: the link is scripted, the clock stands still until it is moved, and what is shown is read as text.

import { status } from "@grpc/grpc-js";
import type { BellSetting } from "../../../client/cli/chat/attention.ts";
import { Chat } from "../../../client/cli/chat/chat.ts";
import type { ChatLink } from "../../../client/cli/chat/chat-link.ts";
import type { Clock } from "../../../client/cli/chat/clock.ts";
import type { Leaving } from "../../../client/cli/chat/commands/command.ts";
import { chatCommands } from "../../../client/cli/chat/commands/table.ts";
import type { Note } from "../../../client/cli/chat/note.ts";
import type { PrivateSettings } from "../../../client/cli/chat/private-link.ts";
import { Transcript } from "../../../client/cli/chat/render.ts";
import { plainLines } from "../../../client/cli/chat/render-plain.ts";
import { promptOf, statusOf, titleOf } from "../../../client/cli/chat/render-status.ts";
import type { Asking } from "../../../client/link/account.ts";
import type { EntryArrived, LinkEvent, LinkState } from "../../../client/link/events.ts";
import type { SendTarget, UnsentMessage } from "../../../client/link/send-queue.ts";
import { LogInOutcome } from "../../../gen/parley/chat/v1/auth_service.ts";
import type { Block } from "../../../gen/parley/chat/v1/block_service.ts";
import type { Conversation, SeqRange } from "../../../gen/parley/chat/v1/conversation.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import { Content } from "../../../gen/parley/chat/v1/entry.ts";
import type { Event, Limits } from "../../../gen/parley/chat/v1/event.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import { RpcError } from "../../../rpc/status.ts";
import { askingSettings, PlayedChats } from "./played-chats.ts";

export const START = new Date("2026-03-01T14:00:00");

export class StageClock implements Clock {
  #now = START.getTime();
  #timers: { at: number; run: () => void }[] = [];
  #awaited: (() => void) | undefined;

  now(): Date {
    return new Date(this.#now);
  }

  after(ms: number, run: () => void): Disposable {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    this.#awaited?.();
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Resolves when somebody waits for a time. */
  async timer(): Promise<void> {
    while (this.#timers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#awaited = resolve;
      });
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
  }
}

const raw: Event = { kind: undefined };
const BROADCAST = "everyone-id";

export function user(username: string): User {
  return { userId: `id-${username}`, username };
}

/** One log of the scripted server. */
interface Log {
  readonly id: string;
  readonly peer: string | undefined;
  readonly entries: Entry[];
  readSeq: bigint;
}

export class Stage implements Disposable {
  readonly clock = new StageClock();
  readonly link: ChatLink = this.#link();
  readonly privates = new PlayedChats();
  /** What `settled` of the link waits for. */
  settled: Promise<void> = Promise.resolve();
  readonly chat: Chat;
  /** What stands on the screen, oldest first. */
  readonly lines: string[] = [];
  readonly left: Leaving[] = [];
  /** Who was told that something is being typed, or no longer. */
  readonly typed: string[] = [];
  readonly sent: { id: bigint; target: SendTarget; text: string }[] = [];
  readonly read: { conversationId: string; seq: bigint }[] = [];
  readonly held: UnsentMessage[] = [];
  readonly released: bigint[] = [];
  /** Blocks and their end, as they were asked for. */
  readonly blocked: string[] = [];
  /** How often a person's activity was reported. */
  activity = 0;
  bells = 0;
  limits: Limits | undefined;
  /** What was put back into the editor last. */
  putBack = "";
  /** More are online than a Welcome names. */
  moreOnline = false;
  /** Something else is in the editor: nothing can be put back. */
  isTyping = false;
  /** What was asked for by call, such as "messages" or, where no person did, "background messages". */
  readonly asked: string[] = [];
  /** By the other user's name: own entries which that one will never get. */
  readonly undelivered = new Map<string, SeqRange[]>();
  state: LinkState = { phase: "connecting", attempt: 1 };
  /** Calls fail as when the connection is lost. */
  offline = false;
  listings = 0;
  readonly #logs = new Map<string, Log>();
  readonly #known: ReadonlySet<string>;
  readonly #transcript = new Transcript(START);
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
      otherKey: options.plain !== true ? "Tab" : options.isTyped === true ? "none" : undefined,
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

  get prompt(): string {
    return promptOf(this.chat.status).plain;
  }

  get status(): string {
    return statusOf(this.chat.status, this.clock.now())
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
    await this.chat.take({ type: "caught-up", serverTime: this.clock.now(), raw });
    await this.#enter({ phase: "live" });
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
      serverTime: this.clock.now(),
      broadcastConversationId: BROADCAST,
      online: online.map(user),
      onlineNextPageToken: this.moreOnline ? "more" : "",
      raw,
    });
  }

  async disconnect(cause: Error = new Error("Connection dropped.")): Promise<void> {
    this.offline = true;
    const retryTime = new Date(this.clock.now().getTime() + 3_000);
    await this.#enter({ phase: "waiting", retryTime, cause });
  }

  async #enter(state: LinkState): Promise<void> {
    this.state = state;
    await this.chat.take({ type: "state", state });
  }

  /** An entry as the link hands it out, stored in the scripted log. */
  entry(from: string, text: string, options: Partial<EntryArrived> & { to?: string } = {}): EntryArrived {
    const mine = from === "luke";
    const peer = options.kind === "broadcast" ? undefined : mine ? (options.to ?? "yoda") : from;
    const log = this.#log(peer);
    const seq = BigInt(log.entries.length + 1);
    const sendTime = options.sendTime ?? this.clock.now();
    const entry: Entry = {
      conversationId: log.id,
      seq,
      kind: peer === undefined ? ConversationKind.BROADCAST : ConversationKind.DIRECT,
      sender: user(from),
      recipient: peer === undefined ? undefined : user(mine ? peer : "luke"),
      sendTime,
      content: { kind: { $case: "text", value: text } },
    };
    log.entries.push(entry);
    return {
      type: "entry",
      conversationId: log.id,
      seq,
      kind: peer === undefined ? "broadcast" : "direct",
      sender: user(from),
      peer: peer === undefined ? undefined : user(peer),
      sendTime,
      content: { kind: "text", text },
      mine,
      clientMessageId: options.clientMessageId,
      live: options.live ?? true,
      entry,
      raw,
    };
  }

  /** Puts entries into a log before the chat begins; `read` of them are read. */
  before(peer: string, texts: string[], read: number): void {
    for (const text of texts) this.entry(peer, text);
    this.#log(peer).readSeq = BigInt(read);
  }

  /** The server acks a send. */
  async ack(
    index: number,
    options: { seq?: bigint; entryShown?: boolean; withheld?: boolean } = {},
  ): Promise<void> {
    const send = this.sent[index];
    if (send === undefined) throw new Error("nothing like that was sent");
    const peer = send.target.kind === "user" ? send.target.username : undefined;
    const seq =
      options.seq ??
      this.entry("luke", send.text, peer === undefined ? { kind: "broadcast" } : { to: peer }).seq;
    await this.chat.take({
      type: "acked",
      clientMessageId: send.id,
      target: send.target,
      content: { kind: "text", text: send.text },
      conversationId: this.#log(peer).id,
      seq,
      sendTime: this.clock.now(),
      repeatedSend: false,
      withheld: options.withheld ?? false,
      entryShown: options.entryShown ?? false,
    });
  }

  unsent(id: bigint, username: string, text: string): UnsentMessage {
    const content = Content.encode({ kind: { $case: "text", value: text } }).finish();
    const queuedTime = new Date(this.clock.now().getTime() - 2 * 3_600_000);
    return { clientMessageId: id, target: { kind: "user", username }, content, queuedTime, held: true };
  }

  idOf(peer: string): string {
    return this.#log(peer).id;
  }

  [Symbol.dispose](): void {
    this.chat[Symbol.dispose]();
  }

  #textOf(note: Note, plain: boolean): string[] {
    if (plain) return plainLines(note, this.clock.now());
    return this.#transcript.linesOf(note, this.clock.now()).map(({ text }) => text.plain);
  }

  #log(peer: string | undefined): Log {
    const id = peer === undefined ? BROADCAST : `with-${peer}`;
    const known = this.#logs.get(id);
    if (known !== undefined) return known;
    const log: Log = { id, peer, entries: [], readSeq: 0n };
    this.#logs.set(id, log);
    return log;
  }

  #conversation({ id, peer, entries, readSeq }: Log): Conversation {
    return {
      conversationId: id,
      kind: peer === undefined ? ConversationKind.BROADCAST : ConversationKind.DIRECT,
      peer: peer === undefined ? undefined : user(peer),
      headSeq: BigInt(entries.length),
      marker: { conversationId: id, deliveredSeq: 0n, readSeq },
      peerMarker: { conversationId: id, deliveredSeq: BigInt(entries.length), readSeq: 0n },
      undelivered: this.undelivered.get(peer ?? "") ?? [],
    };
  }

  #ask(what: string, { background = false }: Asking): void {
    this.asked.push(background ? `background ${what}` : what);
  }

  async #blocking(username: string, done: string): Promise<Block> {
    this.asked.push("blocks");
    if (this.offline || !this.#known.has(username)) {
      const message = "There is no user of that name.";
      throw new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message });
    }
    this.blocked.push(done);
    return { user: user(username), createTime: this.clock.now() };
  }

  #link(): ChatLink {
    const stage = this;
    const lost = (): void => {
      if (stage.offline) throw new RpcError({ code: status.UNAVAILABLE, reason: "", message: "lost" });
    };
    return {
      get state() {
        return stage.state;
      },
      send(target, text) {
        stage.#lastId += 1n;
        stage.sent.push({ id: stage.#lastId, target, text });
        return { clientMessageId: stage.#lastId, done: new Promise(() => undefined) };
      },
      settled: () => stage.settled,
      get heldBack() {
        return stage.held;
      },
      release: (id) => stage.released.push(id) > 0,
      drop: (id) => stage.held.splice(0).some(({ clientMessageId }) => clientMessageId === id),
      markRead: (conversationId, seq) => stage.read.push({ conversationId, seq }),
      retryNow: () => undefined,
      setTyping: (target, typing) => {
        if (target.kind === "user") this.typed.push(`${target.username} ${typing}`);
      },
      reportActivity: () => {
        stage.activity += 1;
      },
      account: {
        blockUser: (username) => stage.#blocking(username, `block ${username}`),
        unblockUser: async (username) => {
          await stage.#blocking(username, `unblock ${username}`);
          return user(username);
        },
        async *listBlocks() {
          lost();
          yield { user: user("vader"), createTime: stage.clock.now() };
        },
        async *listLogIns() {
          lost();
          yield {
            time: stage.clock.now(),
            username: "luke",
            deviceId: "d1",
            client: { name: "parley", version: "1", deviceName: "desk" },
            address: "10.0.0.7",
            outcome: LogInOutcome.WRONG_PASSWORD,
            count: 2,
            firstTime: stage.clock.now(),
          };
        },
        async *listUsers(wanted = {}) {
          stage.#ask("users", wanted);
          lost();
          yield { user: user("leia"), online: true, lastOnlineTime: undefined };
          const lastOnlineTime = new Date(stage.clock.now().getTime() - 5 * 60_000);
          yield { user: user("vader"), online: false, lastOnlineTime };
        },
        async *listConversations(wanted = {}) {
          stage.#ask("conversations", wanted);
          lost();
          for (const log of stage.#logs.values()) yield stage.#conversation(log);
        },
        async *listMessages(target, range = {}) {
          stage.#ask("messages", range);
          lost();
          stage.listings += 1;
          const peer = target.kind === "user" ? target.username : undefined;
          if (peer !== undefined && !stage.#known.has(peer)) {
            const message = "There is no user of that name.";
            throw new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message });
          }
          const id = target.kind === "user" ? `with-${target.username}` : target.conversationId;
          const all = stage.#logs.get(id)?.entries ?? [];
          const wanted = all.filter(
            ({ seq }) => seq >= (range.fromSeq ?? 0n) && (range.toSeq === undefined || seq <= range.toSeq),
          );
          const size = range.pageSize ?? 100;
          const pages = range.newestFirst === true ? [wanted.slice(-size)] : [wanted];
          for (const page of pages) {
            yield {
              items: page.map((entry) => ({ item: { $case: "entry" as const, value: entry } })),
              nextPageToken: page.length < wanted.length ? "more" : "",
              conversationId: all.length === 0 ? "" : id,
              headSeq: BigInt(all.length),
            };
          }
        },
      },
    };
  }
}
