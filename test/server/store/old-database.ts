// Makes a database of version 10, the last one that stored entries by conversation, with users, conversations and entries.
import { applicationId, openDatabase } from "../../../server/store/sqlite/database/database.ts";
import { firstShape } from "../../../server/store/sqlite/migrations/0001_first_shape.ts";
import { blocksAndLocks } from "../../../server/store/sqlite/migrations/0002_blocks_and_locks.ts";
import { identities } from "../../../server/store/sqlite/migrations/0003_identities.ts";
import { logInQuotas } from "../../../server/store/sqlite/migrations/0004_log_in_quotas.ts";
import { mappedNames } from "../../../server/store/sqlite/migrations/0005_mapped_names.ts";
import { indexes } from "../../../server/store/sqlite/migrations/0006_indexes.ts";
import { namesAndTimes } from "../../../server/store/sqlite/migrations/0007_names_and_times.ts";
import { administration } from "../../../server/store/sqlite/migrations/0008_administration.ts";
import { head } from "../../../server/store/sqlite/migrations/0009_head.ts";
import { deviceUse } from "../../../server/store/sqlite/migrations/0010_device_use.ts";

const steps = [
  firstShape,
  blocksAndLocks,
  identities,
  logInQuotas,
  mappedNames,
  indexes,
  namesAndTimes,
  administration,
  head,
  deviceUse,
];

/**
 * The users 1 … `users`, who all write to each other's direct conversations and to everyone in turn. Message i, counted
 * from 0, has the time i and the text "message i".
 */
export function makeOldDatabase(file: string, users: number, messages: number): void {
  using database = openDatabase({ file });
  database.transaction(() => {
    for (const step of steps) step(database);
    database.exec(`
      PRAGMA application_id = ${applicationId};
      PRAGMA user_version = 10;
      UPDATE server SET group_number = 7;
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users})
        INSERT INTO users (user_id, username, skeleton, password_hash, create_time)
        SELECT i, 'user' || i, 'user' || i, '', 1 FROM n;
      INSERT INTO conversations (kind, head_seq, user_low, user_high)
        SELECT 'direct', 0, low.user_id, high.user_id FROM users low JOIN users high ON low.user_id < high.user_id;
      INSERT INTO participants (user_id, conversation_id, delivered_seq, read_seq)
        SELECT user_low, conversation_id, 0, 0 FROM conversations WHERE kind = 'direct'
        UNION ALL SELECT user_high, conversation_id, 0, 0 FROM conversations WHERE kind = 'direct';
      WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${messages - 1}),
        placed AS (SELECT i, 1 + i % c AS conversation, 1 + i / c AS seq
          FROM n, (SELECT count(*) AS c FROM conversations))
        INSERT INTO entries
        SELECT conversation_id, seq, coalesce(iif(seq % 2, user_low, user_high), 1 + seq % ${users}), 1, i - ${messages},
          i, CAST(x'0a' || char(length('message ' || i)) || 'message ' || i AS BLOB)
        FROM placed JOIN conversations ON conversation_id = conversation;
      UPDATE conversations SET head_seq =
        (SELECT coalesce(max(seq), 0) FROM entries e WHERE e.conversation_id = conversations.conversation_id);
    `);
  });
}
