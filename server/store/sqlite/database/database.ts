// One SQLite connection, with the settings that durability depends on. A connection that does not accept them is
// refused.
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { makeFolder } from "../../../../command-line/make-folder.ts";
import { checkPresence } from "./data-check.ts";
import {
  DatabaseRefusedError,
  DataDamagedError,
  primaryCode,
  refusal,
  sqliteBusy,
  sqliteCorrupt,
  sqliteNotADatabase,
} from "./refused.ts";

export { DatabaseRefusedError, refusal } from "./refused.ts";

export interface DatabaseOptions {
  file: string;
  /** Opens the database read-only; it must exist. By default it is opened for writing, and created if missing. */
  readOnly?: boolean | undefined;
  /** The most pages of 4 KiB. Growing beyond them fails like a full disk. Unlimited by default. */
  maxPages?: number | undefined;
}

/** "Parl" in ASCII: marks the file as one of this program. */
export const applicationId = 0x5061726c;

/** How long a connection waits for another process's transaction, in milliseconds. */
const busyTimeout = 5_000;

/**
 * Settings of each connection, which are read back to verify them. They ensure durability, bound the log, or detect
 * damage early.
 */
const settings: Readonly<Record<string, string | number>> = {
  journal_mode: "wal",
  synchronous: 2,
  foreign_keys: 1,
  busy_timeout: busyTimeout,
  fullfsync: 1,
  checkpoint_fullfsync: 1,
  cell_size_check: 1,
  trusted_schema: 0,
  journal_size_limit: 64 * 1024 * 1024,
  wal_autocheckpoint: 4_000,
  temp_store: 2,
  cache_size: -32_768,
};

/** The settings of a read-only connection. */
const readerSettings = { ...settings, query_only: 1 };

type Row = Record<string, unknown>;

export class Database implements Disposable {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /**
   * The statement for this text, prepared on first use. All texts are constants of the program, so the cache is
   * bounded.
   */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** The first row. The caller states the type of its columns. */
  get<T extends Row>(sql: string, ...parameters: SQLInputValue[]): T | undefined {
    return this.statement(sql).get(...parameters) as T | undefined;
  }

  /** The rows one by one, so that the caller can stop early. The statement must not be used again meanwhile. */
  each<T extends Row>(sql: string, ...parameters: SQLInputValue[]): Iterable<T> {
    return this.statement(sql).iterate(...parameters) as Iterable<T>;
  }

  all<T extends Row>(sql: string, ...parameters: SQLInputValue[]): T[] {
    return this.statement(sql).all(...parameters) as T[];
  }

  /** Runs the statement. Returns how many rows it changed, and the id of the last row inserted. */
  run(sql: string, ...parameters: SQLInputValue[]): { changes: number; id: number } {
    const result = this.statement(sql).run(...parameters);
    return { changes: Number(result.changes), id: Number(result.lastInsertRowid) };
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * Defines a function that statements of this connection can call. It is called for each row. Integers are passed to it
   * as bigint.
   */
  define(name: string, call: (...args: SQLOutputValue[]) => SQLInputValue): void {
    this.#connection.function(name, { deterministic: true, useBigIntArguments: true, varargs: true }, call);
  }

  /** The value of a pragma whose result is one row of one column. */
  pragma(name: string): unknown {
    const row = this.get(`PRAGMA ${name}`);
    return row && Object.values(row)[0];
  }

  /** Whether a transaction is open. After some errors SQLite itself has rolled it back. */
  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /** Runs the work in a transaction that may write. If the work throws, the transaction is rolled back. */
  transaction<T>(work: () => T): T {
    return this.#atomically("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", work);
  }

  /** Runs work that only reads. All its reads see the same state of the data. */
  snapshot<T>(work: () => T): T {
    return this.#atomically("BEGIN", "COMMIT", "ROLLBACK", work);
  }

  /** Runs the work in a savepoint of the open transaction. If the work throws, only the savepoint is rolled back. */
  savepoint<T>(work: () => T): T {
    return this.#atomically("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part", work);
  }

  #atomically<T>(begin: string, commit: string, rollback: string, work: () => T): T {
    this.statement(begin).run();
    try {
      const result = work();
      this.statement(commit).run();
      return result;
    } catch (error) {
      if (this.inTransaction) this.exec(rollback);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#connection.close();
  }
}

/** Opens the file. Throws DatabaseRefusedError, with a text for the operator, if it cannot be served. */
export function openDatabase(options: DatabaseOptions): Database {
  const { file, readOnly = false, maxPages } = options;
  let database: Database | undefined;
  try {
    if (!readOnly) prepareFile(file);
    database = new Database(new DatabaseSync(file, { readOnly, timeout: busyTimeout }));
    checkOwner(database, file);
    applySettings(database, file, readOnly ? readerSettings : settings);
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    return database;
  } catch (error) {
    database?.[Symbol.dispose]();
    throw refusal(file, error);
  }
}

const sqliteNoMemory = 7;
const sqliteIoError = 10;
const sqliteFull = 13;

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === sqliteBusy;
}

/** Whether the error comes from the disk or the file, so that the transaction cannot continue. */
export function isStorageFailure(error: unknown): boolean {
  const code = primaryCode(error);
  return (
    code === sqliteFull ||
    code === sqliteIoError ||
    code === sqliteCorrupt ||
    code === sqliteNotADatabase ||
    code === sqliteNoMemory
  );
}

/**
 * Creates the empty file with a private mode, which the log and its index inherit. An existing file is not opened,
 * because closing its descriptor would drop the locks that this process's connections have on it.
 */
function prepareFile(file: string): void {
  checkPresence(file);
  makeFolder(dirname(file), 0o700);
  try {
    closeSync(openSync(file, "wx", 0o600));
    return;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  chmodSync(file, 0o600);
}

/** Files up to this size, in bytes, are checked at start. That takes about 1 ms per MiB. */
const maxCheckedSize = 256 * 1024 * 1024;

/** Throws DatabaseRefusedError if the structure of the file is broken. A large file is not checked. */
export function checkStructure(database: Database, file: string): void {
  if (statSync(file).size > maxCheckedSize) return;
  const finding = database.pragma("quick_check(1)");
  if (finding !== "ok") {
    throw new DataDamagedError(`${file} is damaged (${String(finding)})`);
  }
}

function checkOwner(database: Database, file: string): void {
  const tables = database.get<{ count: number }>("SELECT count(*) AS count FROM sqlite_schema")?.count ?? 0;
  const owner = database.pragma("application_id");
  if (owner !== applicationId && (owner !== 0 || tables > 0)) {
    throw new DatabaseRefusedError(`${file} is the database of another program`);
  }
}

function applySettings(database: Database, file: string, wanted: Readonly<Record<string, string | number>>) {
  for (const [name, value] of Object.entries(wanted)) {
    database.exec(`PRAGMA ${name} = ${value}`);
    const found = database.pragma(name);
    if (found !== value) {
      throw new DatabaseRefusedError(
        `${file} cannot be served safely: ${name} is ${String(found)} where ${value} is needed`,
      );
    }
  }
}
