// Allows one server per data folder, with a lock that the operating system releases when the process ends.
import { chmod, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./database.ts";

export class DataFolderLockedError extends Error {
  override name = "DataFolderLockedError";
}

/**
 * Locks the folder until the result is disposed of or the process ends. The folder is created if missing. Rejects with
 * DataFolderLockedError if this or another process has locked it.
 */
export async function lockDataFolder(folder: string): Promise<Disposable> {
  const file = join(folder, "lock.db");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await createPrivately(file);
  // The transaction stays open and writes nothing: it only holds SQLite's exclusive lock on the file.
  const connection = new DatabaseSync(file, { timeout: 0 });
  try {
    connection.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    if (!isBusy(error)) throw error;
    const text = `another server is using the data folder ${folder}; stop it first, or use another folder`;
    throw new DataFolderLockedError(text, { cause: error });
  }
  return {
    [Symbol.dispose]() {
      if (connection.isOpen) connection.close();
    },
  };
}

/** An existing file is not opened, because closing it would drop a lock that this process has on it. */
async function createPrivately(file: string): Promise<void> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.close();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    await chmod(file, 0o600);
  }
}
