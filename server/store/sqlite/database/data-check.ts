// Holds the files that are there against what must be there, before SQLite opens them for writing: SQLite would start a
// new database, delete a log, or leave out damaged commits, all without a word.
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { commandLine } from "../../../../command-line/package-files.ts";
import { lastPosition } from "../operations/heads.ts";
import { headFileOf, readHead } from "./head-file.ts";
import { checkLog } from "./log-check.ts";
import { DatabaseRefusedError, DataDamagedError, refusal } from "./refused.ts";

/** The name of the file with facts about the running server, in the folder of the database. */
export const serverFileName = "server.json";

/**
 * Checks that the database, its log and its head file belong together, and changes none of them. Call it while no other
 * process writes. @throws DatabaseRefusedError with a text that names the file and the way out
 */
export function checkData(file: string): void {
  checkPresence(file);
  try {
    checkLog(file);
    if (sizeOf(file) > 0) checkHead(file);
  } catch (error) {
    throw withWaysOut(file, error);
  }
}

/**
 * Checks that a database that is missing or empty is a new one.
 * @throws DatabaseRefusedError if other files show that there was data
 */
export function checkPresence(file: string): void {
  if (sizeOf(file) > 0) return;
  const state = existsSync(file) ? "is empty" : "is missing";
  const log = `${file}-wal`;
  // A restore that was killed leaves its part, and by then may have put all other files aside.
  const traces = [headFileOf(file), join(dirname(file), serverFileName), restoredPartOf(file)];
  const trace = traces.find((path) => existsSync(path));
  if (sizeOf(log) > 0)
    throw withWaysOut(file, new DatabaseRefusedError(`${file} ${state}, but its log ${log} is not`));
  if (trace !== undefined) {
    throw withWaysOut(
      file,
      new DatabaseRefusedError(`${file} ${state}, but ${trace} shows that there was data`),
    );
  }
}

/** The copy of a backup that becomes the database at the end of a restore. */
export function restoredPartOf(file: string): string {
  return `${file}.part`;
}

/** The state of the data in the database and its log, read without changing either. */
export interface DataIdentity {
  readonly serverId: string;
  readonly group: number;
  /** Whether a head file was made. */
  readonly hasHead: boolean;
}

/** Returns undefined for a database that has no tables yet. */
export function identify(file: string): DataIdentity | undefined {
  // A connection that may write would move the log into the database and delete it when it closes.
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const hasTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'server'").get() !== undefined;
  if (!hasTable) return undefined;
  const row = database.prepare("SELECT * FROM server").get();
  if (row === undefined) return undefined;
  const { server_id: serverId, group_number: groups, has_head: hasHead = 0 } = row;
  return {
    serverId: String(serverId),
    group: Number(groups) + lastPositionOf(database),
    hasHead: hasHead === 1,
  };
}

/** Whether the database has the log by positions. Older ones counted each group, and had no checksums. */
export function hasPositions(database: DatabaseSync): boolean {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() ?? {};
  return Number(version) >= 11;
}

function lastPositionOf(database: DatabaseSync): number {
  if (!hasPositions(database)) return 0;
  const { position } = database.prepare(`SELECT ${lastPosition} AS position`).get() ?? {};
  return Number(position);
}

function checkHead(file: string): void {
  const head = readHead(file);
  const data = identify(file);
  const headFile = headFileOf(file);
  if (data === undefined) {
    if (head !== undefined)
      throw new DatabaseRefusedError(`${file} has no data, but ${headFile} shows that it had`);
    return;
  }
  if (head === undefined) {
    // A version that made no head file wrote the data.
    if (!data.hasHead) return;
    throw new DatabaseRefusedError(
      `${headFile} is missing, so ${file} may be a copy that lacks the newest messages`,
    );
  }
  if (head.serverId !== data.serverId) {
    throw new DatabaseRefusedError(`${headFile} belongs to other data than ${file}`);
  }
  if (head.group > data.group) {
    throw new DatabaseRefusedError(
      `${file} is older than it was: its last commit has the number ${data.group}, and ${headFile} shows that ` +
        `commit ${head.group} was stored`,
    );
  }
}

/** Adds what the operator can do, for what checkData finds: all of it can also be accepted. */
function withWaysOut(file: string, error: unknown): Error {
  const refused = refusal(file, error);
  // SQLite could not read the file, so nothing of it can be accepted; or another process uses it.
  if (refused.cause !== undefined) return withRestore(file, refused);
  return new DatabaseRefusedError(
    `${refused.message}. Nothing was changed. Restore a backup: ${restoreLine("FILE", file)} Or go on with the data that is ` +
      `there, under a new server id: ${restoreLine("--accept", file)}`,
  );
}

/** The error with a text for the operator, which says how to restore a backup if the data is damaged. */
export function withRestore(file: string, error: unknown): Error {
  const refused = refusal(file, error);
  if (!(refused instanceof DataDamagedError)) return refused;
  const message = `${refused.message}. Restore a backup: ${restoreLine("FILE", file)}`;
  return new DatabaseRefusedError(message, { cause: refused.cause });
}

/** The command line that restores this database. @param what FILE or --accept */
export function restoreLine(what: string, file: string): string {
  return `${commandLine("parley-server")} restore ${what} --data ${dirname(file)}`;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
