// Step 11: entries in the order of their commits, each with its kind and a checksum. The heads of conversations are found by
// an index.
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Database } from "../database/database.ts";
import { defineChecksum } from "../operations/log/checksum.ts";

/** Node keeps the arguments of all calls of a function until its statement ends. */
const ROWS_AT_A_TIME = 10_000;

export function entriesByPosition(database: Database): void {
  database.define("entry_kind", (content) => kindOf(content as Uint8Array));
  defineChecksum(database);
  database.exec(`
    ALTER TABLE entries RENAME TO former_entries;
    DROP INDEX entries_by_send;

    -- The log of the server. No foreign keys: the writer checks users and conversation, and entries remain when their
    -- device is removed.
    CREATE TABLE entries (
      -- 1, 2, 3 and so on over all conversations, in the order of the commits, without a gap.
      position INTEGER PRIMARY KEY,
      conversation_id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      sender_id INTEGER NOT NULL,
      device_id INTEGER NOT NULL,
      -- The 64 bits of the unsigned number, as a signed one.
      client_message_id INTEGER NOT NULL,
      time INTEGER NOT NULL,
      -- The number of the field of Content that is set; 0 if this server did not know the kind when it stored the entry.
      kind INTEGER NOT NULL,
      -- The CRC-32 of all other columns.
      checksum INTEGER NOT NULL,
      content BLOB NOT NULL
    ) STRICT;

    -- The rowid of a row is the position of its entry. The order is that of the times, as far as the order of each
    -- conversation allows. Only keys are sorted, since a sort of whole entries would need their size in memory.
    CREATE TEMP TABLE ranks AS
      SELECT conversation_id, seq
      FROM (SELECT conversation_id, seq, max(time) OVER (PARTITION BY conversation_id ORDER BY seq) AS reached
        FROM former_entries)
      ORDER BY reached, conversation_id, seq;
  `);
  const sql = `INSERT INTO entries
    SELECT r.rowid, e.conversation_id, e.seq, sender_id, device_id, client_message_id, time, entry_kind(content),
      entry_checksum(r.rowid, e.conversation_id, e.seq, sender_id, device_id, client_message_id, time,
        entry_kind(content), content), content
    FROM ranks r CROSS JOIN former_entries e ON e.conversation_id = r.conversation_id AND e.seq = r.seq
    WHERE r.rowid > ?1 AND r.rowid <= ?1 + ${ROWS_AT_A_TIME} ORDER BY r.rowid`;
  for (let copied = 0; database.run(sql, copied).changes > 0; ) copied += ROWS_AT_A_TIME;
  database.exec(`
    DROP TABLE ranks;
    DROP TABLE former_entries;
    CREATE UNIQUE INDEX entries_by_seq ON entries (conversation_id, seq);
    CREATE UNIQUE INDEX entries_by_send ON entries (device_id, client_message_id);

    ALTER TABLE conversations DROP COLUMN head_seq;
  `);
}

/** The field of Content for text, the only kind when this step was written. */
const TEXT = 1;

/** TEXT if the encoded Content has a text, otherwise 0. */
function kindOf(content: Uint8Array): number {
  const reader = new BinaryReader(content);
  let kind = 0;
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === TEXT && type === WireType.LengthDelimited) kind = TEXT;
      reader.skip(type);
    }
  } catch {
    // Not an encoding of Content.
    return 0;
  }
  return kind;
}
