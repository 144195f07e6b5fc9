// Step 6: indexes for statements that read more rows as their table grew.
import type { Database } from "../database/database.ts";

export function indexes(database: Database): void {
  database.exec(`
    -- The intervals in which broadcasts were stored. They are disjoint, so that one seq is in at most one of a user.
    CREATE INDEX presence_with_entries ON presence_intervals (user_id, to_seq, from_seq) WHERE from_seq <= to_seq;
    DROP INDEX presence_by_seq;

    -- The users who were online lately, whoever they are.
    CREATE INDEX presence_by_end_time ON presence_intervals (end_time, user_id) WHERE end_time IS NOT NULL;

    CREATE INDEX invites_by_expiry ON invites (expire_time);
    CREATE INDEX administrators ON users (username) WHERE administrator = 1 AND removed_time IS NULL;
  `);
}
