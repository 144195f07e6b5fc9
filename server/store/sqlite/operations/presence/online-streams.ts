// The rows of the streams by which users are online. Adding and removing them opens and closes the users' intervals.
import type { MostOnline, MovedStream, OnlineStream, OpenResult } from "../../../store.ts";
import type { Database } from "../../database/database.ts";
import { broadcastHead, closeInterval, openInterval } from "./presence-intervals.ts";

export function openStream(
  database: Database,
  stream: OnlineStream,
  time: number,
  most: MostOnline,
): OpenResult {
  const { epoch, userId, sessionId, processId } = stream;
  if (!isLease(database, epoch)) return { status: "no-lease" };
  const streams = database.get<{ count: number }>(
    `SELECT count(*) AS count FROM online_streams s JOIN nodes n ON n.epoch = s.epoch
     WHERE session_id = ?1 AND is_lost = 0 AND (s.epoch = ?2 OR lease_until > ?3)`,
    sessionId,
    epoch,
    time,
  );
  if ((streams?.count ?? 0) >= most.streams) return { status: "too-many-streams" };
  const sessions = onlineSessions(database, epoch, userId, time);
  if (!sessions.includes(sessionId) && sessions.length >= most.sessions)
    return { status: "too-many-sessions" };
  database.run(
    "DELETE FROM online_streams WHERE session_id = ? AND process_id = ? AND is_lost = 1",
    sessionId,
    processId,
  );
  insert(database, stream, false);
  const came = openInterval(database, userId, time);
  return { status: "online", came, broadcastHead: broadcastHead(database) };
}

export function moveStreams(
  database: Database,
  streams: readonly MovedStream[],
  time: number,
): boolean | undefined {
  if (streams.some(({ epoch }) => !isLease(database, epoch))) return undefined;
  let came = false;
  for (const stream of streams) {
    remove(database, { ...stream, epoch: stream.movesFrom });
    insert(database, stream, stream.isLost);
    if (openInterval(database, stream.userId, time)) came = true;
  }
  return came;
}

/** @returns whether the user is offline now */
export function closeStream(
  database: Database,
  stream: OnlineStream,
  time: number,
  to: number | undefined,
): boolean {
  remove(database, stream);
  if (isOnline(database, stream.userId)) return false;
  closeInterval(database, stream.userId, time, to);
  return true;
}

/** @returns whether the user is offline now */
export function leaveProgram(
  database: Database,
  userId: number,
  sessionId: number,
  processId: string,
  time: number,
): boolean {
  database.run(
    `DELETE FROM online_streams WHERE session_id = ?1 AND process_id = ?2
       AND (is_lost = 1 OR (SELECT lease_until FROM nodes n WHERE n.epoch = online_streams.epoch) <= ?3)`,
    sessionId,
    processId,
    time,
  );
  if (isOnline(database, userId)) return false;
  closeInterval(database, userId, time);
  return true;
}

export function sweepStreams(
  database: Database,
  own: number,
  time: number,
  graceMs: number,
  limit: number,
): boolean {
  const over = database.all<{ epoch: number; seenTime: number }>(
    `SELECT epoch, seen_time AS seenTime FROM nodes
     WHERE epoch <> ? AND lease_until <= ? AND seen_time <= ? ORDER BY epoch`,
    own,
    time,
    time - graceMs,
  );
  let left = false;
  let rest = limit;
  for (const { epoch, seenTime } of over) {
    const rows = database.all<{ streamId: number; userId: number }>(
      "SELECT stream_id AS streamId, user_id AS userId FROM online_streams WHERE epoch = ? LIMIT ?",
      epoch,
      rest,
    );
    for (const { streamId, userId } of rows) {
      database.run("DELETE FROM online_streams WHERE epoch = ? AND stream_id = ?", epoch, streamId);
      if (!isOnline(database, userId) && closeInterval(database, userId, seenTime)) left = true;
    }
    rest -= rows.length;
    if (rest === 0) break;
    database.run("DELETE FROM nodes WHERE epoch = ?", epoch);
  }
  return left;
}

/** The sessions of the user that are online on the node of this epoch, and on nodes whose lease is not over. */
export function onlineSessions(database: Database, epoch: number, userId: number, time: number): number[] {
  return database
    .all<{ sessionId: number }>(
      `SELECT DISTINCT session_id AS sessionId FROM online_streams s JOIN nodes n ON n.epoch = s.epoch
       WHERE user_id = ?1 AND (s.epoch = ?2 OR lease_until > ?3)`,
      userId,
      epoch,
      time,
    )
    .map(({ sessionId }) => sessionId);
}

function insert(database: Database, stream: OnlineStream, isLost: boolean): void {
  database.run(
    `INSERT INTO online_streams (epoch, stream_id, user_id, session_id, process_id, is_lost)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    stream.epoch,
    stream.streamId,
    stream.userId,
    stream.sessionId,
    stream.processId,
    isLost ? 1 : 0,
  );
}

function remove(database: Database, { epoch, streamId }: OnlineStream): void {
  database.run("DELETE FROM online_streams WHERE epoch = ? AND stream_id = ?", epoch, streamId);
}

function isOnline(database: Database, userId: number): boolean {
  return database.get("SELECT 1 FROM online_streams WHERE user_id = ? LIMIT 1", userId) !== undefined;
}

function isLease(database: Database, epoch: number): boolean {
  return database.get("SELECT 1 FROM nodes WHERE epoch = ? AND lease_until <> 0", epoch) !== undefined;
}
