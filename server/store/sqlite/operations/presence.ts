// The operations of PresenceStore: when, and at which broadcast seqs, users were online.
import type { PresenceRow, PresenceStore } from "../../store.ts";
import { broadcastConversationId } from "../broadcast.ts";
import { headOf } from "./heads.ts";
import { type Operations, read, write } from "./operation.ts";

const broadcastHead = headOf(broadcastConversationId);

export const presenceOperations: Operations<PresenceStore> = {
  open: write((database, userId, time) => {
    database.run(
      `INSERT INTO presence_intervals (user_id, start_time, from_seq)
       VALUES (?, ?, ${broadcastHead} + 1)
       ON CONFLICT (user_id) WHERE end_time IS NULL DO NOTHING`,
      userId,
      time,
    );
  }),

  close: write((database, userId, time, to = undefined) => {
    // If the clock was set back, the interval ends at its start.
    database.run(
      `UPDATE presence_intervals SET end_time = max(start_time, CAST(? AS INTEGER)),
         to_seq = coalesce(?, ${broadcastHead})
       WHERE user_id = ? AND end_time IS NULL`,
      time,
      to ?? null,
      userId,
    );
  }),

  heartbeat: write((database, time) => {
    database.run("UPDATE server SET heartbeat = ?", time);
  }),

  openIntervals: read((database) => {
    const found = database.get<{ heartbeat: number; head: number }>(
      `SELECT heartbeat, ${broadcastHead} AS head FROM server`,
    );
    const { heartbeat = 0, head = 0 } = found ?? {};
    const sql = `SELECT user_id AS userId FROM presence_intervals INDEXED BY presence_open
      WHERE end_time IS NULL ORDER BY user_id`;
    return {
      heartbeat,
      broadcastHead: head,
      userIds: database.all<{ userId: number }>(sql).map((row) => row.userId),
    };
  }),

  list: read((database, since, now, askingId, afterName, limit) => {
    const rows = database.all<{
      userId: number;
      username: string;
      bot: number;
      online: number;
      lastEnd: number | null;
    }>(
      // Begins with the users who are or were online, who are few, and not with all users.
      `SELECT u.user_id AS userId, username, bot, max(online) AS online, max(lastEnd) AS lastEnd
       FROM (SELECT user_id, 1 AS online, NULL AS lastEnd FROM presence_intervals INDEXED BY presence_open
           WHERE end_time IS NULL
         UNION ALL
         SELECT user_id, 0, max(end_time) FROM presence_intervals INDEXED BY presence_by_end_time
           WHERE end_time >= ?3 GROUP BY user_id) AS seen
       JOIN users u ON u.user_id = seen.user_id
       WHERE username > ?1 AND u.user_id <> ?2 AND removed_time IS NULL
         AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.user_id AND b.blocked_id = ?2)
       GROUP BY username ORDER BY username LIMIT ?4`,
      afterName,
      askingId,
      since,
      limit,
    );
    return rows.map((row) => presenceRow(row, now));
  }),

  of: read((database, userId, now, askingId) => {
    const row = database.get<PresenceColumns>(
      `SELECT userId, username, bot, online, lastEnd FROM (
         SELECT user_id AS userId, username, bot,
           EXISTS (SELECT 1 FROM presence_intervals INDEXED BY presence_open
             WHERE user_id = u.user_id AND end_time IS NULL) AS online,
           (SELECT end_time FROM presence_intervals WHERE user_id = u.user_id AND end_time >= 0
             ORDER BY end_time DESC LIMIT 1) AS lastEnd
         FROM users u WHERE user_id = ?1 AND removed_time IS NULL
           AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.user_id AND b.blocked_id = ?2))
       WHERE online OR lastEnd IS NOT NULL`,
      userId,
      askingId,
    );
    return row && presenceRow(row, now);
  }),
};

interface PresenceColumns extends Record<string, unknown> {
  userId: number;
  username: string;
  bot: number;
  online: number;
  lastEnd: number | null;
}

function presenceRow({ userId, username, bot, online, lastEnd }: PresenceColumns, now: number): PresenceRow {
  const isOnline = online !== 0;
  return {
    user: { userId, username },
    isBot: bot === 1,
    online: isOnline,
    lastOnlineTime: isOnline ? now : (lastEnd ?? 0),
  };
}
