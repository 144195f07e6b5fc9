// The writing half of the worker: one connection, one transaction per group, and nothing else that writes.

import {
  checkStructure,
  type Database,
  DatabaseRefusedError,
  isStorageFailure,
  openDatabase,
  refusal,
} from "../database/database.ts";
import { broadcastConversationId } from "../migrations/0001_first_shape.ts";
import { migrate } from "../migrations.ts";
import { Appender } from "../operations/append.ts";
import { type Operations, operationsOn, perform } from "../operations/operations.ts";
import {
  type CallResult,
  countAppends,
  type Group,
  type GroupResults,
  type PlacedCall,
  ResultWriter,
  unpackAppends,
} from "./group.ts";

export interface WriterOptions {
  readonly file: string;
  readonly maxPages: number | undefined;
}

export interface DataState {
  readonly serverId: string;
  /** Of the last group that was committed. */
  readonly number: number;
}

export type GroupAnswer =
  | { type: "committed"; number: number; results: GroupResults }
  | { type: "failed"; message: string };

/** A connection with what was prepared on it and remembered about its data; all go together after a failure. */
interface Opened {
  readonly database: Database;
  readonly operations: Operations;
  readonly appender: Appender;
}

export class Writer {
  readonly #options: WriterOptions;
  #opened: Opened | undefined;
  /** Of the last group that this writer told as committed. */
  #number: number | undefined;
  #dataVersion: unknown;
  #changed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Opens, migrates and looks for damage. Throws DatabaseRefusedError with a clear text. */
  open(): DataState {
    const { file } = this.#options;
    try {
      const { database } = this.#open();
      checkStructure(database, file);
      const row = database.get<{ serverId: string; number: number }>(
        `SELECT server_id AS serverId, group_number AS number FROM server
         WHERE EXISTS (SELECT 1 FROM conversations WHERE conversation_id = ? AND kind = 'broadcast')`,
        broadcastConversationId,
      );
      if (row === undefined)
        throw new DatabaseRefusedError(`${file} is damaged: rows that it needs are missing`);
      return row;
    } catch (error) {
      this.#abandon();
      throw refusal(file, error);
    }
  }

  /** Commits the group, or nothing of it. Single writes may fail inside a group that is committed. */
  commit(group: Group): GroupAnswer {
    try {
      const opened = this.#opened ?? this.#open();
      const { database } = opened;
      database.exec("BEGIN IMMEDIATE");
      this.#lookForChange(opened);
      const results = run(opened, group);
      database.run("UPDATE server SET group_number = ?", group.number);
      database.exec("COMMIT");
      this.#number = group.number;
      return { type: "committed", number: group.number, results };
    } catch (error) {
      if (error instanceof LostTrackError) throw error;
      this.#abandon();
      return { type: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** True once after another process changed the data. Also takes up the connection again after a failure. */
  poll(): boolean {
    try {
      this.#lookForChange(this.#opened ?? this.#open());
    } catch (error) {
      if (error instanceof LostTrackError) throw error;
      // The next group tries again, and its sender is told why where that fails too.
      this.#abandon();
    }
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Moves the log into the database file and lets go of it. */
  close(): void {
    const database = this.#opened?.database;
    this.#opened = undefined;
    try {
      database?.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      database?.[Symbol.dispose]();
    }
  }

  #open(): Opened {
    const database = openDatabase(this.#options);
    try {
      migrate(database, this.#options.file);
      // A group whose sync was cut short by a crash may stand in the log, readable but not safe: this syncs it.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      const number = database.get<{ number: number }>("SELECT group_number AS number FROM server")?.number;
      if (this.#number !== undefined && this.#number !== number) throw new LostTrackError();
      // A change by others between two connections would go unseen.
      if (this.#number !== undefined) this.#changed = true;
      this.#number = number;
      this.#dataVersion = database.pragma("data_version");
      this.#opened = { database, operations: operationsOn(database), appender: new Appender(database) };
      return this.#opened;
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
  }

  #lookForChange({ database, appender }: Opened): void {
    const version = database.pragma("data_version");
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#changed = true;
    appender.forgetUsers();
    appender.forgetBlocks();
  }

  /** After a failed transaction neither the connection nor what was remembered is to be trusted. */
  #abandon(): void {
    const database = this.#opened?.database;
    this.#opened = undefined;
    try {
      database?.[Symbol.dispose]();
    } catch {
      // It is given up because it fails; that closing fails too says nothing new.
    }
  }
}

/**
 * A group that failed to commit is in the data nevertheless (its sync failed, not its writing). It was told as failed
 * and never announced, so only a new start can go on from here.
 */
class LostTrackError extends Error {
  constructor() {
    super("the database holds another last group than the one that was told");
  }
}

function run({ database, operations, appender }: Opened, group: Group): GroupResults {
  const writer = new ResultWriter(countAppends(group.appends));
  const calls: CallResult[] = [];
  const runCallsBefore = (index: number) => {
    for (let call = group.calls[calls.length]; call !== undefined; call = group.calls[calls.length]) {
      if (call.before > index) return;
      appender.saveHeads();
      calls.push(runCall(database, operations, call));
      if (call.area === "accounts") appender.forgetUsers();
      if (call.area === "blocks") appender.forgetBlocks();
    }
  };
  let index = 0;
  for (const append of unpackAppends(group.appends)) {
    runCallsBefore(index++);
    try {
      writer.add(append.senderId, appender.append(append));
    } catch (error) {
      writer.addFailure(messageOfSingle(database, error));
    }
  }
  runCallsBefore(index);
  appender.saveHeads();
  return { appends: writer.appends, calls, errors: writer.errors, hidden: writer.hidden };
}

function runCall(database: Database, operations: Operations, call: PlacedCall): CallResult {
  try {
    return { ok: true, value: database.savepoint(() => perform(operations, call)) };
  } catch (error) {
    return { ok: false, message: messageOfSingle(database, error) };
  }
}

/** The text of an error that concerns one write only; throws one that takes the whole group down. */
function messageOfSingle(database: Database, error: unknown): string {
  if (!database.inTransaction || isStorageFailure(error)) throw error;
  return error instanceof Error ? error.message : String(error);
}
