// Allows one server per data folder, with a lock that the operating system releases when the process ends.
import { chmodSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "../../../../command-line/make-folder.ts";
import { closePrivateFolder } from "../../../../command-line/private-folder.ts";
import { serverFileName } from "./data-check.ts";
import { isBusy } from "./database.ts";

export class DataFolderLockedError extends Error {
  override name = "DataFolderLockedError";
}

export interface FolderLock extends Disposable {
  /** What other users could have used before: paths with their permissions. */
  readonly closed: readonly string[];
}

/** The files of a data folder that only its owner may use. A settings file may be open. */
const privateFiles = [
  ...["parley.db", "parley.db-wal", "parley.db-shm", "parley.db-head", "lock.db", "reserve", serverFileName],
  ...["tls", join("tls", "key.pem"), join("tls", "cert.pem")],
];

/** How long a server waits for a command that checks the data, ms. */
const PATIENCE_MS = 1_000;

/**
 * Locks the folder until the result is disposed of or the process ends. The folder is created if missing. Rejects with
 * DataFolderLockedError if this or another process has locked it.
 */
export async function lockDataFolder(folder: string): Promise<FolderLock> {
  return Promise.resolve(lockNow(folder, PATIENCE_MS));
}

/** Like lockDataFolder, but returns undefined if the folder is locked. */
export function tryLockDataFolder(folder: string): FolderLock | undefined {
  try {
    return lockNow(folder, 0);
  } catch (error) {
    if (error instanceof DataFolderLockedError) return undefined;
    throw error;
  }
}

function lockNow(folder: string, patienceMs: number): FolderLock {
  const file = join(folder, "lock.db");
  makeFolder(folder, 0o700);
  const closed = closePrivateFolder(folder, privateFiles);
  createPrivately(file);
  // The transaction stays open and writes nothing: it only holds SQLite's exclusive lock on the file.
  const connection = new DatabaseSync(file, { timeout: patienceMs });
  try {
    // A journal would need space, which a full disk does not have.
    connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    if (!isBusy(error)) throw error;
    const text = `a server is using the data folder ${folder}; stop it first, or use another folder`;
    throw new DataFolderLockedError(text, { cause: error });
  }
  return {
    closed,
    [Symbol.dispose]() {
      if (connection.isOpen) connection.close();
    },
  };
}

/** An existing file is not opened, because closing it would drop a lock that this process has on it. */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    chmodSync(file, 0o600);
  }
}
