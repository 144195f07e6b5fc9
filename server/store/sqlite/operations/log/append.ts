// Appends entries to the log inside the writer's transaction: numbers them, detects repeated sends, and creates
// conversations.
import type { StatementSync } from "node:sqlite";
import type { ConversationKind } from "../../../store.ts";
import { broadcastConversationId } from "../../broadcast.ts";
import type { Database } from "../../database/database.ts";
import { headOf, lastPosition } from "../heads.ts";
import { checksumOf } from "./checksum.ts";

/** One append as the writer receives it. An id of 0 means "not given". */
export interface Append {
  readonly conversationId: number;
  readonly peerId: number;
  readonly senderId: number;
  readonly deviceId: number;
  /** The 64 bits of the client message id as a signed number. */
  readonly clientMessageId: bigint;
  readonly time: number;
  /** The kind of the content; 0 for an unknown one. */
  readonly kind: number;
  readonly content: Uint8Array;
}

export type Appended =
  | ({ status: "stored" | "repeated"; conversation: CachedConversation; seq: number; time: number } & Hidden)
  | { status: "id-reused" | AppendRefusal };

/** The users who block the author of a broadcast, and whether there is at least one. */
export interface Hidden {
  readonly hiddenFrom: readonly number[];
  readonly withheld: boolean;
}

export const notHidden: Hidden = { hiddenFrom: [], withheld: false };

type AppendRefusal = "no-user" | "no-conversation" | "blocked";

/** A conversation with its head in the open transaction. */
export interface CachedConversation {
  readonly conversationId: number;
  readonly kind: ConversationKind;
  /** The two users of a direct conversation, the lower id first; 0 in the broadcast one. */
  readonly low: number;
  readonly high: number;
  headSeq: number;
}

/** A time that is earlier than any time in a query, so that no query about time finds an interval that has it. */
const noTime = -1;

const noUsers: ReadonlySet<number> = new Set();

/** The most elements that each cache may have. A full cache is emptied. */
const maxCached = 50_000;

export class Appender {
  readonly #database: Database;
  readonly #insert: StatementSync;
  readonly #byId = new Map<number, CachedConversation>();
  readonly #byPair = new Map<string, CachedConversation>();
  readonly #live = new Map<number, boolean>();
  /** By user id: the users who block that user. */
  readonly #blockers = new Map<number, ReadonlySet<number>>();
  #position: number;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.statement(
      `INSERT INTO entries (position, conversation_id, seq, sender_id, device_id, client_message_id, time, kind,
         checksum, content)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id, client_message_id) DO NOTHING`,
    );
    this.#position = database.get<{ position: number }>(`SELECT ${lastPosition} AS position`)?.position ?? 0;
  }

  /** The position of the newest entry in the open transaction; 0 if there is none. */
  get position(): number {
    return this.#position;
  }

  append(entry: Append): Appended {
    const { senderId, peerId } = entry;
    const direct = entry.conversationId === 0;
    const conversation = direct ? this.#pair(senderId, peerId) : this.#conversation(entry.conversationId);
    const refusal = this.#refusal(entry, conversation);
    // A repeated send gets its first answer, even if a new send would be refused now.
    if (refusal !== undefined) return this.#earlier(entry, conversation) ?? { status: refusal };
    if (conversation !== undefined) return this.#store(entry, conversation);
    const earlier = this.#earlier(entry, undefined);
    if (earlier !== undefined) return earlier;
    const made = this.#database.savepoint(() => {
      const fresh = this.#make(senderId, peerId);
      return { fresh, result: this.#store(entry, fresh) };
    });
    this.#cache(made.fresh);
    return made.result;
  }

  /** Called after another operation may have added or removed users. */
  forgetUsers(): void {
    this.#live.clear();
  }

  /** Called after another operation may have changed blocks. */
  forgetBlocks(): void {
    this.#blockers.clear();
  }

  #refusal(entry: Append, conversation: CachedConversation | undefined): AppendRefusal | undefined {
    const { senderId, peerId } = entry;
    if (entry.conversationId !== 0) {
      if (conversation === undefined) return "no-conversation";
      if (conversation.kind === "broadcast") return this.#isLive(senderId) ? undefined : "no-user";
      if (!isIn(conversation, senderId)) return "no-conversation";
      const otherId = conversation.low === senderId ? conversation.high : conversation.low;
      return this.#directRefusal(senderId, otherId);
    }
    return this.#directRefusal(senderId, peerId);
  }

  #directRefusal(senderId: number, peerId: number): AppendRefusal | undefined {
    if (peerId === senderId || !this.#isLive(peerId) || !this.#isLive(senderId)) return "no-user";
    return this.#blockersOf(senderId).has(peerId) ? "blocked" : undefined;
  }

  #store(entry: Append, conversation: CachedConversation): Appended {
    const { senderId, deviceId, clientMessageId, time, kind, content } = entry;
    const { conversationId } = conversation;
    const seq = conversation.headSeq + 1;
    const position = this.#position + 1;
    const checksum = checksumOf(position, conversationId, seq, clientMessageId, entry);
    const { changes } = this.#insert.run(
      position,
      conversationId,
      seq,
      senderId,
      deviceId,
      clientMessageId,
      time,
      kind,
      checksum,
      content,
    );
    if (changes === 0) {
      const earlier = this.#earlier(entry, conversation);
      if (earlier === undefined)
        throw new Error("an entry was refused as a repeat, but the first one is missing");
      return earlier;
    }
    this.#position = position;
    conversation.headSeq = seq;
    if (conversation.kind === "broadcast") this.#keepForAuthor(senderId, seq);
    return {
      status: "stored",
      conversation,
      seq,
      time,
      ...this.#hidden(conversation, seq, senderId),
    };
  }

  #hidden({ kind }: CachedConversation, seq: number, senderId: number): Hidden {
    const blockers = kind === "broadcast" ? this.#blockersOf(senderId) : noUsers;
    if (blockers.size === 0) return notHidden;
    return { hiddenFrom: [...blockers], withheld: this.#isWithheld(seq, senderId) };
  }

  /**
   * Whether a user blocked the author of this broadcast then. The answer never changes later. It does not depend on
   * presence, since an author who knows the only blocker would learn whether that user is online.
   */
  #isWithheld(seq: number, senderId: number): boolean {
    return (
      this.#database.get(
        `SELECT 1 FROM hidden h
         WHERE h.author_id = ?1 AND h.conversation_id = ${broadcastConversationId}
           AND h.from_seq <= ?2 AND (h.to_seq IS NULL OR h.to_seq >= ?2)
         LIMIT 1`,
        senderId,
        seq,
      ) !== undefined
    );
  }

  #blockersOf(userId: number): ReadonlySet<number> {
    let blockers = this.#blockers.get(userId);
    if (blockers === undefined) {
      if (this.#blockers.size >= maxCached) this.#blockers.clear();
      const sql = "SELECT blocker_id AS blockerId FROM blocks WHERE blocked_id = ?";
      const rows = this.#database.all<{ blockerId: number }>(sql, userId);
      blockers = rows.length === 0 ? noUsers : new Set(rows.map(({ blockerId }) => blockerId));
      this.#blockers.set(userId, blockers);
    }
    return blockers;
  }

  /**
   * Lets an author who is not online see the broadcast, by adding an interval that contains only this seq and no time.
   */
  #keepForAuthor(senderId: number, seq: number): void {
    this.#database.run(
      `INSERT INTO presence_intervals (user_id, start_time, end_time, from_seq, to_seq)
       SELECT ?1, ${noTime}, ${noTime}, ?2, ?2
       WHERE NOT EXISTS (SELECT 1 FROM presence_intervals WHERE user_id = ?1 AND end_time IS NULL)`,
      senderId,
      seq,
    );
  }

  /** The result of an earlier send with this device and client message id; undefined if there was none. */
  #earlier(entry: Append, conversation: CachedConversation | undefined): Appended | undefined {
    const row = this.#database.get<{ id: number; seq: number; time: number; content: Uint8Array }>(
      `SELECT conversation_id AS id, seq, time, content FROM entries WHERE device_id = ? AND client_message_id = ?`,
      entry.deviceId,
      entry.clientMessageId,
    );
    if (row === undefined) return undefined;
    const same = conversation?.conversationId === row.id && Buffer.compare(row.content, entry.content) === 0;
    if (!same) return { status: "id-reused" };
    const { seq, time } = row;
    return {
      status: "repeated",
      conversation,
      seq,
      time,
      hiddenFrom: [],
      withheld: conversation.kind === "broadcast" && this.#isWithheld(seq, entry.senderId),
    };
  }

  #isLive(userId: number): boolean {
    let live = this.#live.get(userId);
    if (live === undefined) {
      if (this.#live.size >= maxCached) this.#live.clear();
      const sql = "SELECT 1 FROM users WHERE user_id = ? AND removed_time IS NULL";
      live = this.#database.get(sql, userId) !== undefined;
      this.#live.set(userId, live);
    }
    return live;
  }

  #conversation(conversationId: number): CachedConversation | undefined {
    const known = this.#byId.get(conversationId);
    if (known !== undefined) return known;
    const row = this.#database.get<ConversationColumns>(
      `${selectConversation} WHERE conversation_id = ?`,
      conversationId,
    );
    return row && this.#cache({ ...row, low: row.low ?? 0, high: row.high ?? 0 });
  }

  #pair(a: number, b: number): CachedConversation | undefined {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const known = this.#byPair.get(`${low}:${high}`);
    if (known !== undefined) return known;
    const row = this.#database.get<ConversationColumns>(
      `${selectConversation} WHERE user_low = ? AND user_high = ?`,
      low,
      high,
    );
    return row && this.#cache({ ...row, low: row.low ?? 0, high: row.high ?? 0 });
  }

  /** Caches the conversation under both its id and its users, as one object, so that there is one head. */
  #cache(conversation: CachedConversation): CachedConversation {
    if (this.#byId.size >= maxCached) {
      this.#byId.clear();
      this.#byPair.clear();
    }
    this.#byId.set(conversation.conversationId, conversation);
    if (conversation.low !== 0) this.#byPair.set(`${conversation.low}:${conversation.high}`, conversation);
    return conversation;
  }

  /** Creates a direct conversation. It is not cached yet, since the savepoint may still be rolled back. */
  #make(a: number, b: number): CachedConversation {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const sql = "INSERT INTO conversations (kind, user_low, user_high) VALUES ('direct', ?, ?)";
    const { id: conversationId } = this.#database.run(sql, low, high);
    for (const userId of [low, high]) {
      const sql =
        "INSERT INTO participants (user_id, conversation_id, delivered_seq, read_seq) VALUES (?, ?, 0, 0)";
      this.#database.run(sql, userId, conversationId);
    }
    return { conversationId, kind: "direct", low, high, headSeq: 0 };
  }
}

function isIn(conversation: CachedConversation, userId: number): boolean {
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
  ${headOf("conversations.conversation_id")} AS headSeq FROM conversations`;
