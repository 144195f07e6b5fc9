// The operations of LogInStore: consecutive failed log-ins, and the record of log-ins.

import { countAttempt } from "../../lock-terms.ts";
import type { LogInFailures, LogInOutcome, LogInRow, LogInStore, NewLogIn } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { type Operations, read, write } from "./operation.ts";
import { addToTotal } from "./row-totals.ts";

/**
 * The most keys in the table of failures, to which unauthenticated clients can add. A key that is locked is not pushed
 * out: the server does not compute as many hashes for strangers during the longest lock.
 */
const MOST_FAILURES = 200_000;
/** The most rows of log-ins of one user with the right password. Nobody else can add to them. */
const MOST_VERIFIED = 1_000;
/** The most rows of refusals of one user. */
const MOST_REFUSED = 1_000;
/** The most rows from one network for names without a user, and of all of these together. */
const MOST_UNKNOWN_OF_NETWORK = 100;
const MOST_UNKNOWN = 10_000;
/** How long refusals are added to the same row, ms. */
const SAME_ROW_MS = 24 * 60 * 60_000;

export const logInOperations: Operations<LogInStore> = {
  failures: read(failuresOf),

  settleAttempt: write((database, key, isRight, terms, time) => {
    const before = failuresOf(database, key);
    const { attempt, after } = countAttempt(before, isRight, terms, time);
    if (after === undefined) clearFailures(database, key);
    else if (after !== before) saveFailures(database, key, after, time);
    return attempt;
  }),

  record: write((database, logIn) => {
    const { userId, client } = logIn;
    const isVerified = !GUESSES.has(logIn.outcome);
    const before = logIn.outcome === "logged-in" ? undefined : sameRefusal(database, logIn);
    if (before !== undefined) database.run("DELETE FROM log_ins WHERE log_in_id = ?", before.logInId);
    const quota =
      userId === undefined
        ? `unknown:${logIn.network}`
        : isVerified
          ? `verified:${userId}`
          : `refused:${userId}`;
    database.run(
      `INSERT INTO log_ins (user_id, username, device_id, client_name, client_version, device_name, address, network,
         outcome, count, first_time, time, quota)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      userId ?? null,
      logIn.username,
      logIn.deviceId ?? null,
      client.name,
      client.version,
      client.deviceName,
      logIn.address,
      logIn.network,
      logIn.outcome,
      (before?.count ?? 0) + 1,
      before?.firstTime ?? logIn.time,
      logIn.time,
      quota,
    );
    if (before === undefined) keepBounds(database, quota, userId, isVerified);
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

function failuresOf(database: Database, key: string): LogInFailures | undefined {
  return database.get<{ [K in keyof LogInFailures]: number }>(
    "SELECT count, locked_until AS lockedUntil, locks FROM log_in_failures WHERE key = ?",
    key,
  );
}

function saveFailures(
  database: Database,
  key: string,
  { count, lockedUntil, locks }: LogInFailures,
  time: number,
): void {
  const isNew = database.get("SELECT 1 FROM log_in_failures WHERE key = ?", key) === undefined;
  database.run(
    `INSERT INTO log_in_failures (key, count, locked_until, locks, change_time) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = excluded.count, locked_until = excluded.locked_until,
       locks = excluded.locks, change_time = excluded.change_time`,
    key,
    count,
    lockedUntil,
    locks,
    time,
  );
  if (isNew && addToTotal(database, "failures", 1) > MOST_FAILURES) {
    const sql = `DELETE FROM log_in_failures WHERE key =
      (SELECT key FROM log_in_failures WHERE key <> ? ORDER BY locked_until, change_time LIMIT 1)`;
    addToTotal(database, "failures", -database.run(sql, key).changes);
  }
}

function clearFailures(database: Database, key: string): void {
  const { changes } = database.run("DELETE FROM log_in_failures WHERE key = ?", key);
  if (changes > 0) addToTotal(database, "failures", -changes);
}

/** The outcomes that anyone can cause. The others need the right password. */
const GUESSES: ReadonlySet<LogInOutcome> = new Set(["wrong-password", "locked", "refused-locked"]);

/** The row that the refusal continues. */
function sameRefusal(database: Database, logIn: NewLogIn): LogInColumns | undefined {
  const { userId = null, deviceId = null } = logIn;
  const lastLogIn =
    database.get<{ logInId: number }>(
      `SELECT log_in_id AS logInId FROM log_ins WHERE quota = ? AND outcome = 'logged-in'
       ORDER BY log_in_id DESC LIMIT 1`,
      `verified:${userId ?? 0}`,
    )?.logInId ?? 0;
  return database.get<LogInColumns>(
    `${selectLogIn} WHERE username = ? AND network = ? AND outcome = ? AND log_in_id > ? AND first_time > ?
       AND user_id IS ? AND device_id IS ? ORDER BY log_in_id DESC LIMIT 1`,
    logIn.username,
    logIn.network,
    logIn.outcome,
    lastLogIn,
    logIn.time - SAME_ROW_MS,
    userId,
    deviceId,
  );
}

/** Drops the oldest row of a quota that a new row exceeds. It reads one row of an index, however many there are. */
function keepBounds(
  database: Database,
  quota: string,
  userId: number | undefined,
  isVerified: boolean,
): void {
  const most = userId === undefined ? MOST_UNKNOWN_OF_NETWORK : isVerified ? MOST_VERIFIED : MOST_REFUSED;
  if (userId === undefined) addToTotal(database, "unknown", 1);
  if (addToTotal(database, quota, 1) > most) dropOldest(database, "quota = ?", quota);
  const unknown = userId === undefined ? addToTotal(database, "unknown", 0) : 0;
  if (unknown > MOST_UNKNOWN) dropOldest(database, "user_id IS ?", null);
}

function dropOldest(database: Database, condition: "quota = ?" | "user_id IS ?", value: string | null): void {
  const dropped = database.get<{ quota: string; userId: number | null }>(
    `DELETE FROM log_ins WHERE log_in_id =
       (SELECT log_in_id FROM log_ins WHERE ${condition} ORDER BY log_in_id LIMIT 1)
     RETURNING quota, user_id AS userId`,
    value,
  );
  if (dropped === undefined) return;
  addToTotal(database, dropped.quota, -1);
  if (dropped.userId === null) addToTotal(database, "unknown", -1);
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
