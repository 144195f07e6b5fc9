// The operations of LogStore: reads and markers. Appends are in append.ts.
import type {
  ConversationKind,
  ConversationRow,
  LogStore,
  MarkersResult,
  NewMarkers,
  SeqRange,
  StoredMarkers,
} from "../../../store.ts";
import { broadcastConversationId } from "../../broadcast.ts";
import type { Database } from "../../database/database.ts";
import { isBlockBetween, undeliveredRanges } from "../blocks.ts";
import { headOf } from "../heads.ts";
import { markersOf } from "../markers.ts";
import { type Operation, type Operations, patientWrite, read } from "../operation.ts";
import { type ReadGroup, readSince } from "./committed.ts";
import { type PackedEntries, packEntries } from "./entries.ts";

type LogOperations = Operations<Omit<LogStore, "append" | "follow" | "entries" | "since">> & {
  /** Like LogStore.entries, but with the rows packed for the transfer between threads. */
  readonly entries: Operation<Parameters<LogStore["entries"]>, PackedEntries>;
  /** Like LogStore.since, but also with what is wrong with the entries that are left out. */
  readonly since: Operation<Parameters<LogStore["since"]>, ReadGroup | undefined>;
};

export const logOperations: LogOperations = {
  raiseMarkers: patientWrite((database, userId, markers, time) =>
    markers.map((wanted) => raise(database, userId, wanted, time)),
  ),

  conversations: read((database, userId, afterId, limit) => {
    if (limit <= 0) return [];
    const broadcast = afterId < broadcastConversationId ? broadcastRow(database, userId) : [];
    const sql = `${selectDirect} AND mine.conversation_id > ? ORDER BY mine.conversation_id LIMIT ?`;
    const direct = database.all<DirectColumns>(sql, userId, afterId, limit - broadcast.length);
    return [...broadcast, ...direct.map((row) => conversationRow(database, userId, row))];
  }),

  conversation: read((database, userId, conversationId) => {
    if (conversationId === broadcastConversationId) return broadcastRow(database, userId)[0];
    const sql = `${selectDirect} AND mine.conversation_id = ?`;
    const row = database.get<DirectColumns>(sql, userId, conversationId);
    return row && conversationRow(database, userId, row);
  }),

  heads: read((database, userId, conversationIds) => {
    const sql = `SELECT ${headOf("?1")} AS headSeq FROM conversations c WHERE conversation_id = ?1
      AND (kind = 'broadcast' OR EXISTS
        (SELECT 1 FROM participants p WHERE p.user_id = ?2 AND p.conversation_id = c.conversation_id))`;
    return conversationIds.map((id) => database.get<{ headSeq: number }>(sql, id, userId)?.headSeq);
  }),

  directConversation: read((database, userId, peerId) => {
    const sql = `${selectDirect} AND c.user_low = ? AND c.user_high = ?`;
    const row = database.get<DirectColumns>(sql, userId, Math.min(userId, peerId), Math.max(userId, peerId));
    return row && conversationRow(database, userId, row);
  }),

  seqAt: read((database, conversationId, time) => {
    const head = `SELECT ${headOf("?")} AS headSeq`;
    const entry = "SELECT time FROM entries WHERE conversation_id = ? AND seq = ?";
    let low = 1;
    let high = (database.get<{ headSeq: number }>(head, conversationId)?.headSeq ?? 0) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = database.get<{ time: number }>(entry, conversationId, middle);
      // Entries that are no longer in the log are the oldest.
      if (found !== undefined && found.time >= time) high = middle;
      else low = middle + 1;
    }
    return low;
  }),

  entries: read(
    (database, conversationId, from, to, limit, newest = false, maxBytes = Number.POSITIVE_INFINITY) =>
      packEntries(database, conversationId, from, to, { limit, newest, maxBytes }),
  ),

  since: read((database, position, limit, maxBytes) => readSince(database, position, limit, maxBytes)),

  visibleRanges: read((database, userId, conversationId, from, to) => {
    const ranges =
      conversationId === broadcastConversationId ? onlineRanges(database, userId, from, to) : [{ from, to }];
    return without(ranges, hiddenSeqs(database, userId, conversationId, from, to));
  }),
};

function onlineRanges(database: Database, userId: number, from: number, to: number): SeqRange[] {
  const rows = database.all<{ fromSeq: number; toSeq: number | null }>(
    // The intervals that end within the range, the first one that ends after it, and the open one. Because intervals do
    // not overlap, these are all, and their number is bounded by the length of the range.
    `SELECT from_seq AS fromSeq, to_seq AS toSeq FROM presence_intervals
     WHERE user_id = ?1 AND to_seq BETWEEN ?2 AND ?3 AND from_seq <= to_seq
     UNION ALL
     SELECT fromSeq, toSeq FROM (
       SELECT from_seq AS fromSeq, to_seq AS toSeq FROM presence_intervals
       WHERE user_id = ?1 AND to_seq > ?3 AND from_seq <= to_seq ORDER BY to_seq LIMIT 1)
     WHERE fromSeq <= ?3
     UNION ALL
     SELECT from_seq, NULL FROM presence_intervals WHERE user_id = ?1 AND end_time IS NULL AND from_seq <= ?3
     ORDER BY fromSeq`,
    userId,
    from,
    to,
  );
  return merged(
    rows.map((row) => ({ from: Math.max(from, row.fromSeq), to: Math.min(to, row.toSeq ?? to) })),
  );
}

/** The seqs of the entries in the range that blocks have hidden from the user, in ascending order. */
function hiddenSeqs(
  database: Database,
  userId: number,
  conversationId: number,
  from: number,
  to: number,
): number[] {
  return database
    .all<{ seq: number }>(
      // Entries are read only if a hidden range overlaps the range, and then each is looked up once, whatever the number
      // of hidden ranges. Where those of an author overlap, the one that begins last also ends last.
      `SELECT seq FROM entries e
       WHERE conversation_id = ?2 AND seq BETWEEN ?3 AND ?4
         AND EXISTS (SELECT 1 FROM hidden WHERE user_id = ?1 AND conversation_id = ?2
           AND from_seq <= ?4 AND coalesce(to_seq, ?4) >= ?3)
         AND (SELECT coalesce(to_seq, e.seq) FROM hidden
           WHERE user_id = ?1 AND conversation_id = ?2 AND author_id = e.sender_id AND from_seq <= e.seq
           ORDER BY from_seq DESC LIMIT 1) >= e.seq
       ORDER BY seq`,
      userId,
      conversationId,
      from,
      to,
    )
    .map(({ seq }) => seq);
}

/** The ranges without these seqs, which must be in ascending order. */
function without(ranges: readonly SeqRange[], seqs: readonly number[]): SeqRange[] {
  const result: SeqRange[] = [];
  let index = 0;
  for (const range of ranges) {
    let from = range.from;
    for (; index < seqs.length; index++) {
      const seq = seqs[index] ?? 0;
      if (seq > range.to) break;
      if (seq < from) continue;
      if (seq > from) result.push({ from, to: seq - 1 });
      from = seq + 1;
    }
    if (from <= range.to) result.push({ from, to: range.to });
  }
  return result;
}

/** Merges ranges that touch or overlap. The ranges must be in ascending order of their start. */
function merged(ranges: readonly SeqRange[]): SeqRange[] {
  const result: SeqRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to + 1) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else {
      result.push(range);
    }
  }
  return result;
}

interface DirectColumns extends Record<string, unknown> {
  conversationId: number;
  headSeq: number;
  delivered: number;
  read: number;
  peerId: number;
  peerName: string;
  peerDelivered: number;
  peerRead: number;
  deliveredTime: number;
  readTime: number;
  peerDeliveredTime: number;
  peerReadTime: number;
}

/** Selects a user's direct conversations, each with the peer. The first parameter is the id of the user. */
const selectDirect = `
  SELECT c.conversation_id AS conversationId, ${headOf("c.conversation_id")} AS headSeq, mine.delivered_seq AS delivered,
    mine.read_seq AS read, mine.delivered_time AS deliveredTime, mine.read_time AS readTime,
    peer.user_id AS peerId, peer.username AS peerName,
    theirs.shown_delivered_seq AS peerDelivered, theirs.shown_read_seq AS peerRead,
    theirs.shown_delivered_time AS peerDeliveredTime, theirs.shown_read_time AS peerReadTime
  FROM participants mine
    JOIN conversations c ON c.conversation_id = mine.conversation_id
    JOIN users peer ON peer.user_id = CASE mine.user_id WHEN c.user_low THEN c.user_high ELSE c.user_low END
    JOIN participants theirs ON theirs.user_id = peer.user_id AND theirs.conversation_id = c.conversation_id
  WHERE mine.user_id = ? AND c.kind = 'direct'`;

function conversationRow(database: Database, userId: number, row: DirectColumns): ConversationRow {
  return {
    conversationId: row.conversationId,
    kind: "direct",
    headSeq: row.headSeq,
    peer: { userId: row.peerId, username: row.peerName },
    markers: {
      deliveredSeq: row.delivered,
      readSeq: row.read,
      deliveredTime: row.deliveredTime,
      readTime: row.readTime,
    },
    peerMarkers: {
      deliveredSeq: row.peerDelivered,
      readSeq: row.peerRead,
      deliveredTime: row.peerDeliveredTime,
      readTime: row.peerReadTime,
    },
    undelivered: undeliveredRanges(database, row.peerId, row.conversationId, userId),
  };
}

/** The broadcast conversation as the user sees it, as an array with one element. */
function broadcastRow(database: Database, userId: number): ConversationRow[] {
  const sql = `SELECT ${headOf("c.conversation_id")} AS headSeq FROM conversations c WHERE conversation_id = ?`;
  const row = database.get<{ headSeq: number }>(sql, broadcastConversationId);
  if (row === undefined) return [];
  return [
    {
      conversationId: broadcastConversationId,
      kind: "broadcast",
      headSeq: row.headSeq,
      peer: undefined,
      markers: markersOf(database, userId, broadcastConversationId),
      peerMarkers: undefined,
      undelivered: [],
    },
  ];
}

interface MemberColumns extends Record<string, unknown> {
  kind: ConversationKind;
  headSeq: number;
  low: number | null;
  high: number | null;
}

function raise(database: Database, userId: number, wanted: NewMarkers, time: number): MarkersResult {
  const { conversationId } = wanted;
  const row = database.get<MemberColumns>(
    `SELECT kind, ${headOf("c.conversation_id")} AS headSeq, user_low AS low, user_high AS high
     FROM conversations c WHERE conversation_id = ?`,
    conversationId,
  );
  if (row === undefined || (row.kind === "direct" && userId !== row.low && userId !== row.high)) {
    return { status: "no-conversation", conversationId };
  }
  const delivered = Math.max(wanted.deliveredSeq, wanted.readSeq);
  if (delivered > row.headSeq) return { status: "beyond-head", conversationId, headSeq: row.headSeq };
  const before = markersOf(database, userId, conversationId);
  const hasDelivered = delivered > before.deliveredSeq;
  const hasRead = wanted.readSeq > before.readSeq;
  const markers: StoredMarkers = {
    deliveredSeq: hasDelivered ? delivered : before.deliveredSeq,
    readSeq: hasRead ? wanted.readSeq : before.readSeq,
    deliveredTime: hasDelivered ? time : before.deliveredTime,
    readTime: hasRead ? time : before.readTime,
  };
  const rose = hasDelivered || hasRead;
  const otherId = (userId === row.low ? row.high : row.low) ?? undefined;
  // While one of the two users blocks the other, neither sees the other's markers change.
  const peerId = otherId === undefined || isBlockBetween(database, userId, otherId) ? undefined : otherId;
  if (rose) save(database, userId, conversationId, markers, peerId !== undefined);
  const undelivered = peerId === undefined ? [] : undeliveredRanges(database, userId, conversationId, peerId);
  return { status: "ok", conversationId, rose, markers, kind: row.kind, peerId, undelivered };
}

function save(
  database: Database,
  userId: number,
  conversationId: number,
  { deliveredSeq, readSeq, deliveredTime, readTime }: StoredMarkers,
  isShown: boolean,
): void {
  const shown = `, shown_delivered_seq = excluded.delivered_seq, shown_read_seq = excluded.read_seq,
    shown_delivered_time = excluded.delivered_time, shown_read_time = excluded.read_time`;
  database.run(
    `INSERT INTO participants (user_id, conversation_id, delivered_seq, read_seq, delivered_time, read_time)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET delivered_seq = excluded.delivered_seq, read_seq = excluded.read_seq,
       delivered_time = excluded.delivered_time, read_time = excluded.read_time${isShown ? shown : ""}`,
    userId,
    conversationId,
    deliveredSeq,
    readSeq,
    deliveredTime,
    readTime,
  );
}
