// The operations of AccountStore on sessions.
import type { AccountStore, EndedSession, LiveSession, NewSession, SessionRow } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { removeUnusedDevices } from "./devices.ts";
import { type Operations, read, write } from "./operation.ts";
import { onlineSessions } from "./presence/online-streams.ts";

type SessionOperations =
  | "startSession"
  | "sessionByToken"
  | "touchSession"
  | "listSessions"
  | "endSession"
  | "endedSessions"
  | "liveSessions"
  | "reportActivity"
  | "endIdleSession";

/** How long the store remembers that a session was ended by the idle time-out, ms. */
const TIMED_OUT_MS = 10 * 60_000;

export const sessionOperations: Operations<Pick<AccountStore, SessionOperations>> = {
  startSession: write((database, session) => {
    if (!hasPassword(database, session.userId, session.passwordHash)) return { status: "password-changed" };
    const { userId, time, mostOnline } = session;
    if (mostOnline !== undefined) {
      const online = onlineSessions(database, mostOnline.epoch, userId, time).length;
      if (online >= mostOnline.sessions) return { status: "too-many-sessions" };
    }
    if (isDisabled(database, session.userId)) return { status: "disabled" };
    const deviceId = deviceOf(database, session);
    if (deviceId === undefined) return { status: "device-invalid" };
    database.run("DELETE FROM sessions WHERE user_id = ? AND expire_time <= ?", session.userId, session.time);
    const { id: sessionId } = database.run(
      `INSERT INTO sessions (user_id, device_id, token_hash, client_name, client_version, device_name, address,
         create_time, last_used_time, active_time, expire_time)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8, ?9)`,
      session.userId,
      deviceId,
      session.tokenHash,
      session.client.name,
      session.client.version,
      session.client.deviceName,
      session.address,
      session.time,
      session.expireTime,
    );
    const { deviceName } = session.client;
    database.run(
      "UPDATE devices SET name = ?, known = 1, last_used_time = max(last_used_time, ?) WHERE device_id = ?",
      deviceName,
      session.time,
      deviceId,
    );
    removeUnusedDevices(database, session.time);
    return { status: "started", sessionId, deviceId };
  }),

  sessionByToken: read((database, tokenHash, now) => {
    const row = database.get<SessionColumns>(
      `${selectSession} WHERE token_hash = ? AND expire_time > ? AND removed_time IS NULL AND disabled_time IS NULL`,
      tokenHash,
      now,
    );
    return row && sessionRow(row);
  }),

  touchSession: write((database, sessionId, lastUsedTime, expireTime) => {
    const sql = `UPDATE sessions SET last_used_time = ?, expire_time =
         CASE (SELECT bot FROM users u WHERE u.user_id = sessions.user_id) WHEN 1 THEN expire_time ELSE ? END
       WHERE session_id = ?`;
    database.run(sql, lastUsedTime, expireTime, sessionId);
    database.run(
      `UPDATE devices SET last_used_time = max(last_used_time, ?)
       WHERE device_id = (SELECT device_id FROM sessions WHERE session_id = ?)`,
      lastUsedTime,
      sessionId,
    );
  }),

  listSessions: read((database, userId, beforeId, limit, now) => {
    return database
      .all<SessionColumns>(
        `${selectSession} WHERE s.user_id = ? AND session_id < ? AND expire_time > ?
         ORDER BY session_id DESC LIMIT ?`,
        userId,
        beforeId,
        now,
        limit,
      )
      .map(sessionRow);
  }),

  endSession: write((database, userId, sessionId) => {
    const sql = "DELETE FROM sessions WHERE session_id = ? AND user_id = ?";
    return database.run(sql, sessionId, userId).changes > 0;
  }),

  endedSessions: read((database, sessionIds, now) => {
    return database
      .all<{ sessionId: number; isTimedOut: number }>(
        `SELECT value AS sessionId,
           EXISTS (SELECT 1 FROM timed_out_sessions t WHERE t.session_id = value) AS isTimedOut
         FROM json_each(?)
         WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = value AND expire_time > ?)`,
        JSON.stringify(sessionIds),
        now,
      )
      .map(({ sessionId, isTimedOut }): EndedSession => {
        return { sessionId, why: isTimedOut === 1 ? "timed-out" : "ended" };
      });
  }),

  liveSessions: read((database, afterId, limit, now) => {
    return database.all<{ [K in keyof LiveSession]: number }>(
      `SELECT session_id AS sessionId, user_id AS userId, active_time AS activeTime FROM sessions
       WHERE session_id > ? AND expire_time > ?
         AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = sessions.user_id AND bot = 1)
       ORDER BY session_id LIMIT ?`,
      afterId,
      now,
      limit,
    );
  }),

  reportActivity: write((database, times) => {
    for (const [sessionId, time] of times) {
      const sql = "UPDATE sessions SET active_time = max(active_time, ?) WHERE session_id = ?";
      database.run(sql, time, sessionId);
    }
  }),

  endIdleSession: write((database, userId, sessionId, activeTime, now) => {
    const session = database.get<{ activeTime: number }>(
      "SELECT active_time AS activeTime FROM sessions WHERE session_id = ? AND user_id = ?",
      sessionId,
      userId,
    );
    if (session === undefined) return { status: "gone" };
    if (session.activeTime > activeTime) return { status: "active", activeTime: session.activeTime };
    database.run("DELETE FROM sessions WHERE session_id = ?", sessionId);
    database.run("DELETE FROM timed_out_sessions WHERE end_time <= ?", now - TIMED_OUT_MS);
    database.run("INSERT INTO timed_out_sessions (session_id, end_time) VALUES (?, ?)", sessionId, now);
    return { status: "ended" };
  }),
};

/** Whether the user exists and still has this password. */
export function hasPassword(database: Database, userId: number, passwordHash: string): boolean {
  const sql = "SELECT 1 FROM users WHERE user_id = ? AND password_hash = ? AND removed_time IS NULL";
  return database.get(sql, userId, passwordHash) !== undefined;
}

export function hasSession(database: Database, userId: number, sessionId: number): boolean {
  const sql = "SELECT 1 FROM sessions WHERE session_id = ? AND user_id = ?";
  return database.get(sql, sessionId, userId) !== undefined;
}

function isDisabled(database: Database, userId: number): boolean {
  const sql = "SELECT 1 FROM users WHERE user_id = ? AND disabled_time IS NOT NULL";
  return database.get(sql, userId) !== undefined;
}

/** The device that the session names, or a new one; undefined if the device or its secret is wrong. */
function deviceOf(database: Database, session: NewSession): number | undefined {
  const { userId, deviceId, deviceSecretHash, time } = session;
  if (deviceId !== undefined) {
    return isDeviceOf(database, userId, deviceId, deviceSecretHash) ? deviceId : undefined;
  }
  const sql = "INSERT INTO devices (user_id, secret_hash, create_time) VALUES (?, ?, ?)";
  return database.run(sql, userId, deviceSecretHash, time).id;
}

export function isDeviceOf(
  database: Database,
  userId: number,
  deviceId: number,
  secretHash: Uint8Array,
): boolean {
  const device = database.get<{ secretHash: Uint8Array }>(
    "SELECT secret_hash AS secretHash FROM devices WHERE device_id = ? AND user_id = ?",
    deviceId,
    userId,
  );
  return device !== undefined && Buffer.compare(device.secretHash, secretHash) === 0;
}

interface SessionColumns extends Record<string, unknown> {
  sessionId: number;
  userId: number;
  username: string;
  bot: number;
  deviceId: number;
  name: string;
  version: string;
  deviceName: string;
  address: string;
  createTime: number;
  lastUsedTime: number;
  expireTime: number;
}

const selectSession = `
  SELECT session_id AS sessionId, s.user_id AS userId, username, bot, device_id AS deviceId, client_name AS name,
    client_version AS version, device_name AS deviceName, address, s.create_time AS createTime,
    last_used_time AS lastUsedTime, expire_time AS expireTime
  FROM sessions s JOIN users u ON u.user_id = s.user_id`;

function sessionRow(row: SessionColumns): SessionRow {
  const { userId, username, bot, name, version, deviceName, ...rest } = row;
  return {
    sessionId: rest.sessionId,
    user: { userId, username },
    isBot: bot === 1,
    deviceId: rest.deviceId,
    client: { name, version, deviceName },
    address: rest.address,
    createTime: rest.createTime,
    lastUsedTime: rest.lastUsedTime,
    expireTime: rest.expireTime,
  };
}
