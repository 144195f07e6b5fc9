// Part of step 12: the leases of nodes, and the streams by which users are online.
import type { Database } from "../../database/database.ts";

export function nodes(database: Database): void {
  database.exec(`
    CREATE TABLE nodes (
      epoch INTEGER PRIMARY KEY AUTOINCREMENT,
      node_id TEXT NOT NULL,
      -- The last time at which the lease was good.
      seen_time INTEGER NOT NULL,
      -- 0: the lease has ended.
      lease_until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX nodes_by_id ON nodes (node_id);

    -- The streams by which users are online: those that are open, and lost ones whose program may come back.
    CREATE TABLE online_streams (
      epoch INTEGER NOT NULL REFERENCES nodes,
      stream_id INTEGER NOT NULL,
      user_id INTEGER NOT NULL REFERENCES users,
      -- No foreign key: the stream of a session ends after the session.
      session_id INTEGER NOT NULL,
      process_id TEXT NOT NULL,
      is_lost INTEGER NOT NULL CHECK (is_lost IN (0, 1)),
      PRIMARY KEY (epoch, stream_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX online_streams_by_user ON online_streams (user_id, session_id);
    CREATE INDEX online_streams_by_session ON online_streams (session_id, process_id);

    -- The newest change of each user, for everyone (reader 0), and for each reader whom the user has blocked or unblocked.
    CREATE TABLE presence_changes (
      user_id INTEGER NOT NULL REFERENCES users,
      reader_id INTEGER NOT NULL,
      number INTEGER NOT NULL UNIQUE,
      PRIMARY KEY (user_id, reader_id)
    ) STRICT, WITHOUT ROWID;

    -- The users who were online when the last server of an older version ended stay online for the grace period.
    INSERT INTO nodes (node_id, seen_time, lease_until) SELECT 'before step 12', heartbeat, 0 FROM server
      WHERE EXISTS (SELECT 1 FROM presence_intervals WHERE end_time IS NULL);
    INSERT INTO online_streams (epoch, stream_id, user_id, session_id, process_id, is_lost)
      SELECT epoch, interval_id, user_id, 0, '', 1 FROM nodes, presence_intervals WHERE end_time IS NULL;
    ALTER TABLE server DROP COLUMN heartbeat;
  `);
}
