// Puts entries into the log, inside the writer's transaction: numbers them, finds repeats, makes conversations.
import type { StatementSync } from "node:sqlite";
import type { ConversationKind } from "../store.ts";
import type { Database } from "./database.ts";

/** One append as the writer sees it; ids of 0 stand for "not given". */
export interface Append {
  readonly conversationId: number;
  readonly peerId: number;
  readonly senderId: number;
  readonly deviceId: number;
  /** The client message id's 64 bits as a signed number. */
  readonly clientMessageId: bigint;
  readonly time: number;
  readonly content: Uint8Array;
}

export type Appended =
  | { status: "stored" | "repeated"; conversation: Conversation; seq: number; time: number }
  | { status: "id-reused" | "no-user" | "no-conversation" };

/** A conversation and its head, as the open transaction has it. */
export interface Conversation {
  readonly conversationId: number;
  readonly kind: ConversationKind;
  /** The two users of a direct conversation, the lower id first; 0 in others. */
  readonly low: number;
  readonly high: number;
  headSeq: number;
}

/** Before every time that is asked for: such an interval is seen by no question about time. */
const noTime = -1;

/** Of conversations and of users that are remembered; beyond it, the memory starts anew. */
const maxRemembered = 50_000;

export class Appender {
  readonly #database: Database;
  readonly #insert: StatementSync;
  readonly #byId = new Map<number, Conversation>();
  readonly #byPair = new Map<string, Conversation>();
  readonly #live = new Map<number, boolean>();
  /** Those whose row still has an older head. */
  readonly #dirty = new Set<Conversation>();

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.statement(
      `INSERT INTO entries (conversation_id, seq, sender_id, device_id, client_message_id, time, content)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id, client_message_id) DO NOTHING`,
    );
  }

  append(entry: Append): Appended {
    const { senderId, peerId } = entry;
    const direct = entry.conversationId === 0;
    const conversation = direct ? this.#pair(senderId, peerId) : this.#conversation(entry.conversationId);
    const refusal = this.#refusal(entry, conversation);
    // A repeat is answered as the first time even where a new send would be refused by now.
    if (refusal !== undefined) return this.#earlier(entry, conversation) ?? { status: refusal };
    if (conversation !== undefined) return this.#store(entry, conversation);
    const earlier = this.#earlier(entry, undefined);
    if (earlier !== undefined) return earlier;
    const made = this.#database.savepoint(() => {
      const fresh = this.#make(senderId, peerId);
      return { fresh, result: this.#store(entry, fresh) };
    });
    this.#remember(made.fresh);
    return made.result;
  }

  /** Writes the heads; to be called before anything else looks at them, and before the commit. */
  saveHeads(): void {
    for (const conversation of this.#dirty) {
      this.#database.run(
        "UPDATE conversations SET head_seq = ? WHERE conversation_id = ?",
        conversation.headSeq,
        conversation.conversationId,
      );
    }
    this.#dirty.clear();
    if (this.#byId.size > maxRemembered || this.#byPair.size > maxRemembered) {
      this.#byId.clear();
      this.#byPair.clear();
    }
  }

  /** To be called after anything else may have added or removed users. */
  forgetUsers(): void {
    this.#live.clear();
  }

  #refusal(entry: Append, conversation: Conversation | undefined): "no-user" | "no-conversation" | undefined {
    const { senderId, peerId } = entry;
    if (entry.conversationId !== 0) {
      if (conversation === undefined) return "no-conversation";
      if (conversation.kind === "broadcast") return this.#isLive(senderId) ? undefined : "no-user";
      if (!isIn(conversation, senderId)) return "no-conversation";
      return this.#isLive(conversation.low) && this.#isLive(conversation.high) ? undefined : "no-user";
    }
    return peerId !== senderId && this.#isLive(peerId) && this.#isLive(senderId) ? undefined : "no-user";
  }

  #store(entry: Append, conversation: Conversation): Appended {
    const seq = conversation.headSeq + 1;
    const { changes } = this.#insert.run(
      conversation.conversationId,
      seq,
      entry.senderId,
      entry.deviceId,
      entry.clientMessageId,
      entry.time,
      entry.content,
    );
    if (changes === 0) {
      const earlier = this.#earlier(entry, conversation);
      if (earlier === undefined)
        throw new Error("an entry was refused as a repeat, but its first is missing");
      return earlier;
    }
    conversation.headSeq = seq;
    this.#dirty.add(conversation);
    if (conversation.kind === "broadcast") this.#keepForAuthor(entry.senderId, seq);
    return { status: "stored", conversation, seq, time: entry.time };
  }

  /** An author who is not online sees the own broadcast all the same: as an interval of one seq and of no time. */
  #keepForAuthor(senderId: number, seq: number): void {
    this.#database.run(
      `INSERT INTO presence_intervals (user_id, start_time, end_time, from_seq, to_seq)
       SELECT ?1, ${noTime}, ${noTime}, ?2, ?2
       WHERE NOT EXISTS (SELECT 1 FROM presence_intervals WHERE user_id = ?1 AND end_time IS NULL)`,
      senderId,
      seq,
    );
  }

  /** What the send with this device and client message id came to before; undefined where there was none. */
  #earlier(entry: Append, conversation: Conversation | undefined): Appended | undefined {
    const row = this.#database.get<{ id: number; seq: number; time: number; content: Uint8Array }>(
      `SELECT conversation_id AS id, seq, time, content FROM entries WHERE device_id = ? AND client_message_id = ?`,
      entry.deviceId,
      entry.clientMessageId,
    );
    if (row === undefined) return undefined;
    const same = conversation?.conversationId === row.id && Buffer.compare(row.content, entry.content) === 0;
    return same
      ? { status: "repeated", conversation, seq: row.seq, time: row.time }
      : { status: "id-reused" };
  }

  #isLive(userId: number): boolean {
    let live = this.#live.get(userId);
    if (live === undefined) {
      if (this.#live.size >= maxRemembered) this.#live.clear();
      const sql = "SELECT 1 FROM users WHERE user_id = ? AND removed_time IS NULL";
      live = this.#database.get(sql, userId) !== undefined;
      this.#live.set(userId, live);
    }
    return live;
  }

  #conversation(conversationId: number): Conversation | undefined {
    const known = this.#byId.get(conversationId);
    if (known !== undefined) return known;
    const row = this.#database.get<ConversationColumns>(
      `${selectConversation} WHERE conversation_id = ?`,
      conversationId,
    );
    return row && this.#remember({ ...row, low: row.low ?? 0, high: row.high ?? 0 });
  }

  #pair(a: number, b: number): Conversation | undefined {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const known = this.#byPair.get(`${low}:${high}`);
    if (known !== undefined) return known;
    const row = this.#database.get<ConversationColumns>(
      `${selectConversation} WHERE user_low = ? AND user_high = ?`,
      low,
      high,
    );
    return row && this.#remember({ ...row, low: row.low ?? 0, high: row.high ?? 0 });
  }

  /** There is one object for a conversation, however it was asked for: it carries the head. */
  #remember(conversation: Conversation): Conversation {
    this.#byId.set(conversation.conversationId, conversation);
    if (conversation.low !== 0) this.#byPair.set(`${conversation.low}:${conversation.high}`, conversation);
    return conversation;
  }

  /** A new direct conversation; not remembered yet, since what makes it may still be undone. */
  #make(a: number, b: number): Conversation {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const sql = "INSERT INTO conversations (kind, head_seq, user_low, user_high) VALUES ('direct', 0, ?, ?)";
    const { id: conversationId } = this.#database.run(sql, low, high);
    for (const userId of [low, high]) {
      this.#database.run("INSERT INTO participants VALUES (?, ?, 0, 0)", userId, conversationId);
    }
    return { conversationId, kind: "direct", low, high, headSeq: 0 };
  }
}

function isIn(conversation: Conversation, userId: number): boolean {
  return conversation.kind === "broadcast" || userId === conversation.low || userId === conversation.high;
}

interface ConversationColumns extends Record<string, unknown> {
  conversationId: number;
  kind: ConversationKind;
  low: number | null;
  high: number | null;
  headSeq: number;
}

const selectConversation = `SELECT conversation_id AS conversationId, kind, user_low AS low, user_high AS high,
  head_seq AS headSeq FROM conversations`;
