// Opens and closes the interval of time, and of broadcast seq, during which a user is online.
import { broadcastConversationId } from "../../broadcast.ts";
import type { Database } from "../../database/database.ts";
import { headOf } from "../heads.ts";
import { noteChange } from "./changes.ts";

/** Opens an interval at this time and at the next broadcast seq. @returns false if the user has an open one, which stays */
export function openInterval(database: Database, userId: number, time: number): boolean {
  const { changes } = database.run(
    `INSERT INTO presence_intervals (user_id, start_time, from_seq) VALUES (?, ?, ?)
     ON CONFLICT (user_id) WHERE end_time IS NULL DO NOTHING`,
    userId,
    time,
    broadcastHead(database) + 1,
  );
  if (changes > 0) noteChange(database, userId);
  return changes > 0;
}

/** Closes the open interval at this time and at the broadcast seq `to`. @returns false if none was open */
export function closeInterval(
  database: Database,
  userId: number,
  time: number,
  to = broadcastHead(database),
): boolean {
  // If the clock was set back, the interval ends at its start.
  const { changes } = database.run(
    `UPDATE presence_intervals SET end_time = max(start_time, CAST(? AS INTEGER)), to_seq = ?
     WHERE user_id = ? AND end_time IS NULL`,
    time,
    to,
    userId,
  );
  if (changes > 0) noteChange(database, userId);
  return changes > 0;
}

export function broadcastHead(database: Database): number {
  const sql = `SELECT ${headOf(broadcastConversationId)} AS head`;
  return database.get<{ head: number }>(sql)?.head ?? 0;
}
