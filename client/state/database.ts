// Opens the state file: private to its user, durable, shared by any number of processes, brought up to date.
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { migrations } from "./migrations.ts";

/** The state folder cannot be used; the message says what to do. */
export class StateError extends Error {
  override name = "StateError";
}

/** How long a process waits for another one's transaction, ms. */
const busyTimeoutMs = 10_000;
/** The same where it can be done again, ms: nothing else is done here meanwhile. */
const scrubTimeoutMs = 2_000;

/**
 * Opens `state.db` in the folder, which is made if need be. Both are readable by their user alone.
 * @throws StateError where folder or file cannot be used, or come from a newer version.
 */
export function openDatabase(folder: string): DatabaseSync {
  const file = join(folder, "state.db");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    tighten(folder, 0o700);
    // SQLite gives its -wal and -shm files the mode of the main file, so that one has to be right before it opens.
    closeSync(openSync(file, "a", 0o600));
    tighten(file, 0o600);
  } catch (error) {
    throw new StateError(`The state folder ${folder} cannot be used: ${messageOf(error)}`, { cause: error });
  }
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    useWriteAheadLog(db);
    db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;");
    migrate(db, file);
  } catch (error) {
    db.close();
    if (error instanceof StateError) throw error;
    throw new StateError(`The state file ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
  return db;
}

/** Runs the work in one transaction that holds the write lock from its start; what throws is rolled back. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  let result: T;
  try {
    result = work();
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
  return result;
}

/**
 * Writes the file anew and empties its log, so that nothing of what was deleted is left in either.
 * @returns false where another process's transaction stood in the way for too long: then some may be left
 */
export function scrub(db: DatabaseSync): boolean {
  // What is written anew has keys in it: not by way of a file in the folder for temporary ones.
  db.exec(`PRAGMA busy_timeout = ${scrubTimeoutMs}; PRAGMA temp_store = MEMORY`);
  try {
    // Pages have text in them that no row owns any more, from when rows moved: to overwrite the rows does not reach it.
    db.exec("VACUUM");
    return db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy === 0;
  } catch (error) {
    if (!isBusy(error)) throw error;
    return false;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  }
}

function tighten(path: string, mode: number): void {
  if (process.platform === "win32") return;
  if ((statSync(path).mode & 0o777 & ~mode) !== 0) chmodSync(path, mode);
}

/**
 * The change to WAL does not honour the busy timeout, and several processes may start on a new folder at once: the
 * loser waits for the winner by taking the write lock, which does, and looks again.
 */
function useWriteAheadLog(db: DatabaseSync): void {
  for (let left = 20; ; left--) {
    try {
      const row = db.prepare("PRAGMA journal_mode = WAL").get();
      if (row?.journal_mode === "wal") return;
      throw new StateError("The state file's disk does not support SQLite's write-ahead log.");
    } catch (error) {
      if (error instanceof StateError || left === 0 || !isBusy(error)) throw error;
      transact(db, () => undefined);
    }
  }
}

function migrate(db: DatabaseSync, file: string): void {
  if (versionOf(db) === migrations.length) return;
  transact(db, () => {
    // Read again: another process may have been faster.
    const from = versionOf(db);
    if (from > migrations.length) {
      throw new StateError(
        `The state file ${file} was written by a newer version of parley. Update this one.`,
      );
    }
    for (const step of migrations.slice(from)) db.exec(step);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
