// Step 2: blocks, markers as the other user may see them, failed log-ins, the record of log-ins, and administrators.
import type { Database } from "../database/database.ts";

export function blocksAndLocks(database: Database): void {
  database.exec(`
    ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1));

    -- The markers that the other user of a direct conversation sees. They do not change during a block.
    ALTER TABLE participants ADD COLUMN shown_delivered_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE participants ADD COLUMN shown_read_seq INTEGER NOT NULL DEFAULT 0;
    UPDATE participants SET shown_delivered_seq = delivered_seq, shown_read_seq = read_seq;

    CREATE TABLE blocks (
      blocker_id INTEGER NOT NULL REFERENCES users,
      blocked_id INTEGER NOT NULL REFERENCES users,
      create_time INTEGER NOT NULL,
      PRIMARY KEY (blocker_id, blocked_id),
      CHECK (blocker_id <> blocked_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX blocks_by_blocked ON blocks (blocked_id, blocker_id);

    -- The entries of an author that a block hides from one user, permanently. to_seq is null while the block lasts.
    CREATE TABLE hidden (
      user_id INTEGER NOT NULL REFERENCES users,
      conversation_id INTEGER NOT NULL REFERENCES conversations,
      author_id INTEGER NOT NULL REFERENCES users,
      from_seq INTEGER NOT NULL,
      to_seq INTEGER CHECK (to_seq >= from_seq),
      PRIMARY KEY (user_id, conversation_id, author_id, from_seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX hidden_by_author ON hidden (author_id, conversation_id, user_id);

    -- Consecutive wrong passwords. locked_until is 0 if there is no lock.
    CREATE TABLE log_in_failures (
      key TEXT PRIMARY KEY,
      count INTEGER NOT NULL CHECK (count > 0),
      locked_until INTEGER NOT NULL,
      change_time INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX log_in_failures_by_change ON log_in_failures (locked_until, change_time);

    -- user_id is null for a name without a user. No foreign key: rows remain when the device is removed.
    CREATE TABLE log_ins (
      log_in_id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER REFERENCES users,
      username TEXT NOT NULL,
      device_id INTEGER,
      client_name TEXT NOT NULL,
      client_version TEXT NOT NULL,
      device_name TEXT NOT NULL,
      address TEXT NOT NULL,
      outcome TEXT NOT NULL,
      count INTEGER NOT NULL CHECK (count > 0),
      first_time INTEGER NOT NULL,
      time INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX log_ins_by_user ON log_ins (user_id, log_in_id);
    CREATE INDEX log_ins_by_name ON log_ins (username, log_in_id);
  `);
}
