// Reads the log in the order of the commits.
import type { CommittedEntry, CommittedGroup, ConversationKind } from "../../../store.ts";
import { broadcastConversationId } from "../../broadcast.ts";
import type { Database } from "../../database/database.ts";
import { clientMessageIdOf, damageOf, type EntryColumns, entryColumns } from "./checksum.ts";

/** An entry as the reader's thread returns it. */
export interface ReadEntry extends Omit<CommittedEntry, "isOwn"> {
  readonly position: number;
}

export interface ReadGroup extends Omit<CommittedGroup, "entries"> {
  readonly entries: readonly ReadEntry[];
  /** What is wrong with the entries that are left out, for the operator. */
  readonly damaged: readonly string[];
}

/** The entries after a position, as LogStore.since returns them. */
export function readSince(
  database: Database,
  position: number,
  limit: number,
  maxBytes: number,
): ReadGroup | undefined {
  const rows: EntryColumns[] = [];
  const sql = `SELECT ${entryColumns} FROM entries WHERE position > ? ORDER BY position LIMIT ?`;
  let bytes = 0;
  for (const row of database.each<EntryColumns>(sql, position, limit)) {
    bytes += row.content.length;
    if (rows.length > 0 && bytes > maxBytes) break;
    rows.push(row);
  }
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const entries: ReadEntry[] = [];
  const damaged: string[] = [];
  for (const row of rows) {
    const damage = damageOf(row);
    if (damage === undefined) entries.push(committed(database, row));
    else damaged.push(damage);
  }
  return { from: position + 1, to: last.position, entries, damaged };
}

/** @param opened the position of the newest entry when this process opened the store; nobody else has appended since */
export function unpackCommitted(group: ReadGroup | undefined, opened: number): CommittedGroup | undefined {
  return (
    group && {
      from: group.from,
      to: group.to,
      entries: group.entries.map(({ position, ...entry }) => ({ ...entry, isOwn: position > opened })),
    }
  );
}

function committed(database: Database, row: EntryColumns): ReadEntry {
  const { conversationId, seq, senderId, deviceId, time, content } = row;
  const { kind = "direct", low, high } = conversationOf(database, conversationId);
  const hiddenFrom = kind === "broadcast" ? hiddenFromUsers(database, senderId, seq) : [];
  return {
    position: row.position,
    conversationId,
    seq,
    kind,
    senderId,
    recipientId: (senderId === low ? high : low) ?? undefined,
    time,
    content,
    deviceId,
    clientMessageId: clientMessageIdOf(row),
    hiddenFrom,
    withheld: hiddenFrom.length > 0,
  };
}

interface ConversationColumns extends Record<string, unknown> {
  kind: ConversationKind;
  low: number | null;
  high: number | null;
}

function conversationOf(database: Database, conversationId: number): Partial<ConversationColumns> {
  const sql = "SELECT kind, user_low AS low, user_high AS high FROM conversations WHERE conversation_id = ?";
  return database.get<ConversationColumns>(sql, conversationId) ?? {};
}

function hiddenFromUsers(database: Database, authorId: number, seq: number): number[] {
  return database
    .all<{ userId: number }>(
      `SELECT user_id AS userId FROM hidden
       WHERE author_id = ?1 AND conversation_id = ${broadcastConversationId}
         AND from_seq <= ?2 AND (to_seq IS NULL OR to_seq >= ?2)`,
      authorId,
      seq,
    )
    .map(({ userId }) => userId);
}
