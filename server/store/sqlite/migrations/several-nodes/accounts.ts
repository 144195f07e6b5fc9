// Part of step 12: when each session had its last command, and which sessions an idle time-out has ended.
import type { Database } from "../../database/database.ts";

export function accounts(database: Database): void {
  database.exec(`
    -- Raised only while the server has an idle time-out.
    ALTER TABLE sessions ADD COLUMN active_time INTEGER NOT NULL DEFAULT 0;
    UPDATE sessions SET active_time = last_used_time;

    -- Kept for some minutes, so that each node can tell the reason to the streams of the session.
    CREATE TABLE timed_out_sessions (
      session_id INTEGER PRIMARY KEY,
      end_time INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX timed_out_sessions_by_time ON timed_out_sessions (end_time);
  `);
}
