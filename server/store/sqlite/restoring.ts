// The engine of the commands that back up, check, restore and accept data. Except for a backup, which also works while a
// server runs, the caller holds the lock of the data folder.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  checkData,
  hasPositions,
  identify,
  restoredPartOf,
  restoreLine,
  serverFileName,
} from "./database/data-check.ts";
import { DatabaseRefusedError, openDatabase, refusal } from "./database/database.ts";
import { HeadFile, headFileOf, readHead } from "./database/head-file.ts";
import { primaryCode, sqliteFull } from "./database/refused.ts";
import { migrate } from "./migrations.ts";
import { commitNumber } from "./operations/heads.ts";
import { damageOf, type EntryColumns, entryColumns } from "./operations/log/checksum.ts";

export interface AcceptedData {
  /** The new id. With it, clients discard their cursors and devices. */
  readonly serverId: string;
  /** The number of the last commit in the data. */
  readonly group: number;
  /** The number of the last commit that was reported; undefined if that is not known. */
  readonly lastGroup: number | undefined;
  /** The new names of the files that were there and do not belong to the data. Nothing is deleted. */
  readonly putAside: readonly string[];
}

/**
 * Accepts the data that is there, although checkData refuses it, and gives it a new server id. If there is no database,
 * it makes a new one.
 * @throws DatabaseRefusedError if the database cannot be read
 */
export function acceptData(file: string, now = Date.now()): AcceptedData {
  const aside = new PuttingAside(now);
  const lastGroup = lastGroupOf(file);
  if (sizeOf(file) === 0) {
    // SQLite would delete a log without a database.
    aside.rename([
      `${file}-wal`,
      headFileOf(file),
      join(dirname(file), serverFileName),
      restoredPartOf(file),
    ]);
    rmSync(`${file}-shm`, { force: true });
  } else {
    identifyOrRefuse(file);
    // SQLite moves what it can read of the log into the database, and then deletes the log.
    aside.copy([`${file}-wal`, headFileOf(file)]);
  }
  return { ...giveNewId(file), lastGroup, putAside: aside.files };
}

/** Reads a whole backup. @throws DatabaseRefusedError if it is damaged or not a backup */
export function verifyBackup(backup: string): void {
  verify(backup);
}

/**
 * Replaces the data by a backup that was verified, and gives it a new server id. The data that was there is kept under
 * other names.
 */
export function restoreData(backup: string, file: string, now = Date.now()): AcceptedData {
  const lastGroup = lastGroupOf(file);
  const part = restoredPartOf(file);
  copyFileSync(backup, part);
  syncFile(part);
  const aside = new PuttingAside(now);
  // The log goes first, because it must never be beside the restored database.
  aside.rename([`${file}-wal`, headFileOf(file), file, join(dirname(file), serverFileName)]);
  rmSync(`${file}-shm`, { force: true });
  renameSync(part, file);
  return { ...giveNewId(file), lastGroup, putAside: aside.files };
}

/**
 * Copies the data as it is at one moment to a new file that only its owner can read. A server may go on writing
 * meanwhile. The file gets its name after it was verified.
 * @returns the number of the last commit in the copy @throws DatabaseRefusedError; Error with `code` EEXIST
 */
export function backupData(file: string, target: string): { group: number } {
  identifyOrRefuse(file);
  // Found before the work, which can take minutes. The link below refuses a file that appears meanwhile.
  if (existsSync(target)) throw Object.assign(new Error(`EEXIST: ${target} exists`), { code: "EEXIST" });
  const part = `${target}.${randomBytes(6).toString("hex")}.part`;
  closeSync(openSync(part, "wx", 0o600));
  try {
    try {
      using source = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
      source.prepare("VACUUM INTO ?").run(part);
    } catch (error) {
      if (primaryCode(error) !== sqliteFull) throw refusal(file, error);
      // The source is only read, so it is the disk of the copy.
      const message = `the disk of ${dirname(target)} is full; a copy needs about as much space as ${file}`;
      throw new DatabaseRefusedError(message, { cause: error });
    }
    syncFile(part);
    const verified = verify(part);
    linkSync(part, target);
    return verified;
  } finally {
    rmSync(part, { force: true });
  }
}

export interface DataContents {
  readonly users: number;
  readonly entries: number;
  /** The time of the newest entry, ms since 1970; undefined if there is none. */
  readonly newestTime: number | undefined;
}

/** Counts what a database has that is whole. It reads the whole log. */
export function contentsOf(file: string): DataContents {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const row = database
    .prepare(
      `SELECT (SELECT count(*) FROM users WHERE removed_time IS NULL) AS users,
         (SELECT count(*) FROM entries) AS entries,
         (SELECT max(time) FROM entries) AS newestTime`,
    )
    .get();
  const { users, entries, newestTime } = row ?? {};
  return {
    users: Number(users),
    entries: Number(entries),
    newestTime: newestTime === null ? undefined : Number(newestTime),
  };
}

/** Reads all data, and describes everything that is wrong with it and what to do, for the operator. It changes nothing. */
export function examineData(file: string): string[] {
  return refusals(() => {
    checkData(file);
    const found = sizeOf(file) === 0 ? [] : examineBackup(file);
    return found.length === 0 ? [] : [...found, `Restore a backup: ${restoreLine("FILE", file)}`];
  });
}

/** As examineData, for a file that backupData made: it has neither a log nor a head file, and is never empty. */
export function examineBackup(file: string): string[] {
  return refusals(() => {
    identifyOrRefuse(file);
    return findings(file);
  });
}

function refusals(examine: () => string[]): string[] {
  try {
    return examine();
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    return [error.message];
  }
}

/** The most findings of one kind. */
const MOST_FINDINGS = 20;

function findings(file: string): string[] {
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    database.exec("PRAGMA cell_size_check = 1");
    const structure = database
      .prepare(`PRAGMA integrity_check(${MOST_FINDINGS})`)
      .all()
      .map((row) => String(Object.values(row)[0]))
      .filter((text) => text !== "ok");
    if (structure.length > 0) return structure.map((text) => `${file} is damaged: ${text}`);
    const references = database.prepare("PRAGMA foreign_key_check").all().slice(0, MOST_FINDINGS);
    const entries = hasPositions(database) ? findingsOfLog(database) : findingsOfOldLog(database);
    return [
      ...references.map(({ table, rowid, parent }) => {
        return `${file}: row ${String(rowid)} of the table ${String(table)} refers to a missing row of ${String(parent)}`;
      }),
      ...entries.map((text) => `${file}: ${text}`),
    ];
  } catch (error) {
    return [refusal(file, error).message];
  }
}

/** Before version 11. */
function findingsOfOldLog(database: DatabaseSync): string[] {
  const rows = database
    .prepare(
      `SELECT conversation_id AS id, head_seq AS head, (SELECT count(*) FROM entries e
         WHERE e.conversation_id = c.conversation_id AND seq BETWEEN 1 AND head_seq) AS count
       FROM conversations c WHERE count <> head LIMIT ${MOST_FINDINGS}`,
    )
    .all();
  return rows.map(({ id, head, count }) => {
    return `the conversation ${String(id)} has ${String(count)} of ${String(head)} entries`;
  });
}

/** Reads every entry. */
function findingsOfLog(database: DatabaseSync): string[] {
  const found: string[] = [];
  const rows = database.prepare(`SELECT ${entryColumns} FROM entries ORDER BY position`).iterate();
  let last = 0;
  for (const row of rows as Iterable<EntryColumns>) {
    if (found.length >= MOST_FINDINGS) return found;
    if (row.position !== last + 1) {
      found.push(`the log lacks the entries from position ${last + 1} to ${row.position - 1}`);
    }
    last = row.position;
    const damage = damageOf(row);
    if (damage !== undefined) found.push(damage);
  }
  return found;
}

/** @throws DatabaseRefusedError if the file is not whole, or not a database of this program */
function verify(file: string): { group: number } {
  const { group } = identifyOrRefuse(file);
  const [first] = findings(file);
  if (first !== undefined) throw new DatabaseRefusedError(first);
  return { group };
}

function identifyOrRefuse(file: string): { group: number } {
  try {
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (isFolder) throw new DatabaseRefusedError(`${file} is a folder, not a file`);
    const found = sizeOf(file) === 0 ? undefined : identify(file);
    if (found === undefined) throw new DatabaseRefusedError(`${file} has no data of Parley`);
    return found;
  } catch (error) {
    throw refusal(file, error);
  }
}

function giveNewId(file: string): { serverId: string; group: number } {
  const serverId = randomBytes(16).toString("hex");
  using database = openDatabase({ file });
  migrate(database, file);
  database.run("UPDATE server SET server_id = ?, has_head = 1", serverId);
  const group = database.get<{ group: number }>(`SELECT ${commitNumber} AS "group"`)?.group ?? 0;
  HeadFile.make(file, { serverId, group })[Symbol.dispose]();
  return { serverId, group };
}

/** The newest group that the head file or the database knows of. */
function lastGroupOf(file: string): number | undefined {
  const known: (() => { group: number } | undefined)[] = [
    () => readHead(file),
    () => (sizeOf(file) === 0 ? undefined : identify(file)),
  ];
  const groups = known.flatMap((read) => {
    try {
      return read()?.group ?? [];
    } catch {
      // A file that cannot be read tells nothing, and is replaced.
      return [];
    }
  });
  return groups.length === 0 ? undefined : Math.max(...groups);
}

/** Keeps files under names that end with the time. */
class PuttingAside {
  readonly files: string[] = [];
  readonly #suffix: string;

  constructor(now: number) {
    this.#suffix = `.${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  }

  rename(paths: readonly string[]): void {
    for (const path of paths) this.#keep(path, renameSync);
  }

  copy(paths: readonly string[]): void {
    for (const path of paths) this.#keep(path, copyFileSync);
  }

  #keep(path: string, how: (from: string, to: string) => void): void {
    if (sizeOf(path) === 0) return;
    const to = path + this.#suffix;
    how(path, to);
    this.files.push(to);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function syncFile(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
