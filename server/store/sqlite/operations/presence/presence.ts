// The operations of PresenceStore: the streams by which users are online, and what others see of it.
import type { PresenceRow, PresenceStore } from "../../../store.ts";
import { type Operations, read, write } from "../operation.ts";
import { changesAfter, lastChange } from "./changes.ts";
import {
  closeStream,
  leaveProgram,
  moveStreams,
  onlineSessions,
  openStream,
  sweepStreams,
} from "./online-streams.ts";

export const presenceOperations: Operations<PresenceStore> = {
  open: write((database, stream, time, most) => openStream(database, stream, time, most)),

  move: write((database, streams, time) => moveStreams(database, streams, time)),

  lose: write((database, { epoch, streamId }) => {
    database.run("UPDATE online_streams SET is_lost = 1 WHERE epoch = ? AND stream_id = ?", epoch, streamId);
  }),

  close: write((database, stream, time, to = undefined) => closeStream(database, stream, time, to)),

  leave: write((database, userId, sessionId, processId, time) =>
    leaveProgram(database, userId, sessionId, processId, time),
  ),

  sweep: write((database, epoch, time, graceMs, limit) =>
    sweepStreams(database, epoch, time, graceMs, limit),
  ),

  nextSweep: read((database, epoch, graceMs) => {
    const row = database.get<{ time: number | null }>(
      "SELECT min(max(lease_until, seen_time + ?)) AS time FROM nodes WHERE epoch <> ?",
      graceMs,
      epoch,
    );
    return row?.time ?? undefined;
  }),

  changes: read((database, after, limit) => changesAfter(database, after, limit)),

  lastChange: read((database) => lastChange(database)),

  onlineSessions: read(
    (database, epoch, userId, time) => onlineSessions(database, epoch, userId, time).length,
  ),

  connectedElsewhere: read((database, epoch, sessionIds, time) => {
    return database
      .all<{ sessionId: number }>(
        `SELECT value AS sessionId FROM json_each(?1) WHERE EXISTS
           (SELECT 1 FROM online_streams s JOIN nodes n ON n.epoch = s.epoch
            WHERE session_id = value AND is_lost = 0 AND s.epoch <> ?2 AND lease_until > ?3)`,
        JSON.stringify(sessionIds),
        epoch,
        time,
      )
      .map(({ sessionId }) => sessionId);
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
