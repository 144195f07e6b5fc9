// The operations of LogInStore: consecutive failed log-ins, and the record of log-ins.
import type { LogInFailures, LogInOutcome, LogInRow, LogInStore, NewLogIn } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { type Operations, read, write } from "./operation.ts";

/**
 * The most keys in the table, which unauthenticated clients can add to. Pushing a count out takes far longer than a
 * lock lasts.
 */
const MOST_FAILURES = 50_000;
/** The most rows of one user. */
const MOST_OF_USER = 1_000;
/** The most rows of all names without a user together. */
const MOST_WITHOUT_USER = 10_000;

export const logInOperations: Operations<LogInStore> = {
  failures: read((database, key) => {
    return database.get<{ [K in keyof LogInFailures]: number }>(
      "SELECT count, locked_until AS lockedUntil FROM log_in_failures WHERE key = ?",
      key,
    );
  }),

  saveFailures: write((database, key, { count, lockedUntil }, time) => {
    database.run(
      `INSERT INTO log_in_failures (key, count, locked_until, change_time) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET
         count = excluded.count, locked_until = excluded.locked_until, change_time = excluded.change_time`,
      key,
      count,
      lockedUntil,
      time,
    );
    dropOldFailures(database, time);
  }),

  clearFailures: write((database, key) => {
    database.run("DELETE FROM log_in_failures WHERE key = ?", key);
  }),

  record: write((database, logIn) => {
    if (countAgain(database, logIn)) return;
    const { client } = logIn;
    database.run(
      `INSERT INTO log_ins (user_id, username, device_id, client_name, client_version, device_name, address, outcome,
         count, first_time, time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
      logIn.userId ?? null,
      logIn.username,
      logIn.deviceId ?? null,
      client.name,
      client.version,
      client.deviceName,
      logIn.address,
      logIn.outcome,
      logIn.time,
      logIn.time,
    );
    dropOldLogIns(database, logIn.userId);
  }),

  listLogIns: read((database, userId, beforeId, limit) => {
    const whose = userId === "everyone" ? "?1 IS NULL" : "user_id = ?1";
    return database
      .all<LogInColumns>(
        `${selectLogIn} WHERE ${whose} AND log_in_id < ?2 ORDER BY log_in_id DESC LIMIT ?3`,
        userId === "everyone" ? null : userId,
        beforeId,
        limit,
      )
      .map(logInRow);
  }),
};

/** Drops the least recently changed keys, those without a lock first. The row just saved is never dropped. */
function dropOldFailures(database: Database, now: number): void {
  const sql = "SELECT count(*) AS count FROM log_in_failures";
  const count = database.get<{ count: number }>(sql)?.count ?? 0;
  if (count <= MOST_FAILURES) return;
  database.run(
    `DELETE FROM log_in_failures WHERE key IN
       (SELECT key FROM log_in_failures ORDER BY locked_until > ?, change_time LIMIT ?)`,
    now,
    count - MOST_FAILURES,
  );
}

/**
 * If the log-in repeats the refusal in the newest row of its name, changes only that row's count and time. Returns
 * whether it did.
 */
function countAgain(database: Database, logIn: NewLogIn): boolean {
  if (logIn.outcome === "logged-in") return false;
  const last = database.get<LogInColumns & { userId: number | null }>(
    `${selectLogIn} WHERE username = ? ORDER BY log_in_id DESC LIMIT 1`,
    logIn.username,
  );
  const isSame =
    last !== undefined &&
    last.userId === (logIn.userId ?? null) &&
    last.outcome === logIn.outcome &&
    last.address === logIn.address &&
    last.deviceId === (logIn.deviceId ?? null) &&
    last.name === logIn.client.name &&
    last.version === logIn.client.version &&
    last.deviceName === logIn.client.deviceName;
  if (!isSame) return false;
  const sql = "UPDATE log_ins SET count = count + 1, time = ? WHERE log_in_id = ?";
  database.run(sql, logIn.time, last.logInId);
  return true;
}

function dropOldLogIns(database: Database, userId: number | undefined): void {
  database.run(
    `DELETE FROM log_ins WHERE user_id IS ?1 AND log_in_id <=
       (SELECT log_in_id FROM log_ins WHERE user_id IS ?1 ORDER BY log_in_id DESC LIMIT 1 OFFSET ?2)`,
    userId ?? null,
    userId === undefined ? MOST_WITHOUT_USER : MOST_OF_USER,
  );
}

interface LogInColumns extends Record<string, unknown> {
  logInId: number;
  userId: number | null;
  username: string;
  deviceId: number | null;
  name: string;
  version: string;
  deviceName: string;
  address: string;
  outcome: LogInOutcome;
  count: number;
  firstTime: number;
  time: number;
}

const selectLogIn = `
  SELECT log_in_id AS logInId, user_id AS userId, username, device_id AS deviceId, client_name AS name,
    client_version AS version, device_name AS deviceName, address, outcome, count, first_time AS firstTime, time
  FROM log_ins`;

function logInRow(row: LogInColumns): LogInRow {
  const { name, version, deviceName, logInId, username, deviceId, address, outcome, count, firstTime, time } =
    row;
  return {
    logInId,
    username,
    deviceId: deviceId ?? undefined,
    client: { name, version, deviceName },
    address,
    outcome,
    count,
    firstTime,
    time,
  };
}
