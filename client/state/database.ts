// Opens the state file: readable only by its owner, durable, shared by several processes, and migrated to the current
// version.
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileProblem } from "../../command-line/file-problem.ts";
import { makeFolder } from "../../command-line/make-folder.ts";
import { closePrivateFolder, OtherOwnerError } from "../../command-line/private-folder.ts";
import { migrations } from "./migrations.ts";

/** The state cannot be used. */
export class StateError extends Error {
  override name = "StateError";
}

/** The state folder cannot be created or opened, so another one is needed. */
export class StateFolderError extends StateError {}

/** How long a process waits for the transaction of another one, ms. */
const busyTimeoutMs = 10_000;
/** The same for `scrub`, ms. It is shorter, because `scrub` blocks the process and can be repeated. */
const scrubTimeoutMs = 2_000;

/**
 * Opens `state.db` in the folder, and creates both if needed. Only their owner can read them.
 * @throws StateFolderError if the folder cannot be used; StateError if the file cannot, or is from a newer version
 */
export function openDatabase(folder: string): DatabaseSync {
  const file = join(folder, "state.db");
  try {
    makeFolder(folder, 0o700);
    closePrivateFolder(folder, ["state.db", "state.db-wal", "state.db-shm"]);
    // SQLite gives its -wal and -shm files the mode of the main file, so the mode must be right before SQLite opens it.
    closeSync(openSync(file, "a", 0o600));
    tighten(file, 0o600);
  } catch (error) {
    if (error instanceof OtherOwnerError) throw new StateFolderError(error.message, { cause: error });
    throw new StateFolderError(`The state folder ${folder} cannot be used: ${fileProblem(error)}.`, {
      cause: error,
    });
  }
  // A migration that replaces a table would delete the rows that refer to it if foreign keys were enforced.
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false });
  try {
    useWriteAheadLog(db);
    db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;");
    migrate(db, file);
    db.exec("PRAGMA foreign_keys = ON");
  } catch (error) {
    db.close();
    if (error instanceof StateError) throw error;
    throw new StateError(`The state file ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
  return db;
}

/** Runs the work in one transaction that holds the write lock from its start. An error rolls it back. */
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
 * Rewrites the file and truncates its log, so that neither contains any deleted data.
 * @returns false if the transaction of another process took too long: then some deleted data may be left
 */
export function scrub(db: DatabaseSync): boolean {
  // The data includes keys, so it must not be written to a temporary file.
  db.exec(`PRAGMA busy_timeout = ${scrubTimeoutMs}; PRAGMA temp_store = MEMORY`);
  try {
    // Rows that SQLite has moved leave copies of their text in pages that overwriting the rows does not reach.
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
 * Several processes may start with a new folder at the same time, and the change to WAL ignores the busy timeout. A
 * process that finds the file busy therefore takes the write lock, which respects the timeout, and tries again.
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
    // Read again, because another process may have migrated it.
    const from = versionOf(db);
    if (from > migrations.length) {
      throw new StateError(`A newer version of parley wrote the state file ${file}. Update this one.`);
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
