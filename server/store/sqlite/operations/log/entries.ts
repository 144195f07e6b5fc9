// Ranges of the log, packed into two buffers on the reader's thread and unpacked as views on the main thread.
import type { ConversationKind, StoredEntry } from "../../../store.ts";
import type { Database } from "../../database/database.ts";
import { damageOf, type EntryColumns, entryColumns } from "./checksum.ts";

export interface PackedEntries {
  readonly conversationId: number;
  readonly kind: ConversationKind;
  /** The two users of a direct conversation. */
  readonly users: readonly [number, number] | undefined;
  /** Per entry: seq, sender, time, length of content. */
  readonly fields: Float64Array<ArrayBuffer>;
  /** The contents, end to end. */
  readonly contents: Uint8Array<ArrayBuffer>;
  /** What is wrong with the entries that are left out because they are damaged, for the operator. */
  readonly damaged: readonly string[];
}

const width = 4;

export function packEntries(
  database: Database,
  conversationId: number,
  from: number,
  to: number,
  { limit, newest, maxBytes }: { limit: number; newest: boolean; maxBytes: number },
): PackedEntries {
  const conversation = database.get<{ kind: ConversationKind; low: number | null; high: number | null }>(
    "SELECT kind, user_low AS low, user_high AS high FROM conversations WHERE conversation_id = ?",
    conversationId,
  );
  const rows: EntryColumns[] = [];
  const damaged: string[] = [];
  let bytes = 0;
  const sql = newest ? selectNewest : selectLowest;
  for (const row of database.each<EntryColumns>(sql, conversationId, from, to, limit)) {
    const damage = damageOf(row);
    if (damage !== undefined) {
      damaged.push(damage);
      continue;
    }
    if (rows.length > 0 && bytes + row.content.length > maxBytes) break;
    rows.push(row);
    bytes += row.content.length;
  }
  if (newest) rows.reverse();
  const fields = new Float64Array(rows.length * width);
  const contents = new Uint8Array(bytes);
  let offset = 0;
  for (const [index, row] of rows.entries()) {
    fields.set([row.seq, row.senderId, row.time, row.content.length], index * width);
    contents.set(row.content, offset);
    offset += row.content.length;
  }
  const { kind = "direct", low = null, high = null } = conversation ?? {};
  const users = low !== null && high !== null ? ([low, high] as const) : undefined;
  return { conversationId, kind, users, fields, contents, damaged };
}

export function unpackEntries(packed: PackedEntries): StoredEntry[] {
  const { conversationId, kind, users, fields, contents } = packed;
  const entries: StoredEntry[] = [];
  let offset = 0;
  for (let at = 0; at < fields.length; at += width) {
    const senderId = fields[at + 1] ?? 0;
    const end = offset + (fields[at + 3] ?? 0);
    entries.push({
      conversationId,
      seq: fields[at] ?? 0,
      kind,
      senderId,
      recipientId: users && (users[0] === senderId ? users[1] : users[0]),
      time: fields[at + 2] ?? 0,
      content: contents.subarray(offset, end),
    });
    offset = end;
  }
  return entries;
}

const selectLowest = `SELECT ${entryColumns} FROM entries
  WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`;
const selectNewest = `SELECT ${entryColumns} FROM entries
  WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?`;
