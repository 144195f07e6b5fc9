// The numbered changes of presence, which every node reads to tell its streams.
import type { PresenceChange } from "../../../store.ts";
import type { Database } from "../../database/database.ts";

/** Stands for all readers. */
const EVERYONE = 0;

/**
 * Notes that the presence of the user has changed, for everyone or for one reader. The change has the next number, and
 * replaces the one before of this user and reader.
 */
export function noteChange(database: Database, userId: number, readerId = EVERYONE): void {
  database.run(
    `INSERT INTO presence_changes (user_id, reader_id, number)
     SELECT ?, ?, coalesce(max(number), 0) + 1 FROM presence_changes WHERE true
     ON CONFLICT (user_id, reader_id) DO UPDATE SET number = excluded.number`,
    userId,
    readerId,
  );
}

export function lastChange(database: Database): number {
  const sql = "SELECT max(number) AS number FROM presence_changes";
  return database.get<{ number: number | null }>(sql)?.number ?? 0;
}

export function changesAfter(database: Database, after: number, limit: number): PresenceChange[] {
  return database
    .all<{ number: number; userId: number; username: string; readerId: number; online: number }>(
      `SELECT number, c.user_id AS userId, username, reader_id AS readerId,
         EXISTS (SELECT 1 FROM presence_intervals i WHERE i.user_id = c.user_id AND end_time IS NULL) AS online
       FROM presence_changes c JOIN users u ON u.user_id = c.user_id
       WHERE number > ? ORDER BY number LIMIT ?`,
      after,
      limit,
    )
    .map(({ number, userId, username, readerId, online }) => ({
      number,
      user: { userId, username },
      readerId: readerId === EVERYONE ? undefined : readerId,
      online: online === 1,
      blocked:
        readerId === EVERYONE ? blockedBy(database, userId) : blockedReader(database, userId, readerId),
    }));
}

function blockedBy(database: Database, userId: number): number[] {
  const sql = "SELECT blocked_id AS blockedId FROM blocks WHERE blocker_id = ?";
  return database.all<{ blockedId: number }>(sql, userId).map(({ blockedId }) => blockedId);
}

function blockedReader(database: Database, userId: number, readerId: number): number[] {
  const sql = "SELECT 1 FROM blocks WHERE blocker_id = ? AND blocked_id = ?";
  return database.get(sql, userId, readerId) === undefined ? [] : [readerId];
}
