// Writes on one connection: one transaction for each group. Nothing else writes to the data while a server runs.

import { broadcastConversationId } from "../broadcast.ts";
import {
  checkStructure,
  type Database,
  DatabaseRefusedError,
  isStorageFailure,
  openDatabase,
  refusal,
} from "../database/database.ts";
import { migrate } from "../migrations.ts";
import { Appender } from "../operations/append.ts";
import { perform } from "../operations/operations.ts";
import {
  type CallResult,
  countAppends,
  type Group,
  type GroupResults,
  type PlacedCall,
  ResultWriter,
  unpackAppends,
} from "./group.ts";
import type { DataState, GroupAnswer, WriterOptions } from "./messages.ts";
import type { Role } from "./request-loop.ts";

/** A connection and the caches of its data. Both are dropped after a failure. */
interface Opened {
  readonly database: Database;
  readonly appender: Appender;
}

export class Writer {
  readonly #options: WriterOptions;
  #opened: Opened | undefined;
  /** The number of the last group that this writer reported as committed. */
  #number: number | undefined;
  #dataVersion: unknown;
  #changed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Opens and migrates the database, and checks it for damage. Throws DatabaseRefusedError, whose text is for the
   * operator.
   */
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
        throw new DatabaseRefusedError(
          `${file} is damaged: rows that it needs are missing; restore it from a backup`,
        );
      return row;
    } catch (error) {
      this.#abandon();
      throw refusal(file, error);
    }
  }

  /** Commits the whole group or nothing. Single writes may fail inside a group that is committed. */
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

  /** Returns true once after another process changed the data. Also reopens the database after a failure. */
  poll(): boolean {
    try {
      this.#lookForChange(this.#opened ?? this.#open());
    } catch (error) {
      if (error instanceof LostTrackError) throw error;
      // The next group opens the database again, and a failure of that is reported to the senders of its writes.
      this.#abandon();
    }
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Moves the log into the database file and closes the connection. */
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
      // After a crash during a sync, a group in the log may be readable but not durable. The checkpoint syncs it.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      const number = database.get<{ number: number }>("SELECT group_number AS number FROM server")?.number;
      if (this.#number !== undefined && this.#number !== number) throw new LostTrackError();
      // The data version does not show whether another process changed the data between two connections, so assume it.
      if (this.#number !== undefined) this.#changed = true;
      this.#number = number;
      this.#dataVersion = database.pragma("data_version");
      this.#opened = { database, appender: new Appender(database) };
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

  /** Drops the connection and its caches, neither of which can be trusted after a failed transaction. */
  #abandon(): void {
    const database = this.#opened?.database;
    this.#opened = undefined;
    try {
      database?.[Symbol.dispose]();
    } catch {
      // The connection is dropped because it failed, so a failure to close it tells nothing new.
    }
  }
}

/** The interval at which the writer looks for changes by other processes, in milliseconds. */
const pollInterval = 500;

/** Handles the requests to the writer. */
export function writerRole(options: WriterOptions): Role {
  const writer = new Writer(options);
  let polling: NodeJS.Timeout | undefined;
  return {
    open(send) {
      const state = writer.open();
      polling = setInterval(() => {
        if (writer.poll()) send({ type: "external-change" });
      }, pollInterval);
      return state;
    },
    take(request, send) {
      if (request.type !== "group") throw new Error(`the writer received a request of type ${request.type}`);
      const answer = writer.commit(request.group);
      send(answer, answer.type === "committed" ? [answer.results.appends.buffer] : []);
    },
    close() {
      clearInterval(polling);
      writer.close();
    },
  };
}

/**
 * A group that was reported as failed is in the data all the same: it was written, and only its sync failed. Since it
 * was never announced, the store cannot continue until the server is restarted.
 */
class LostTrackError extends Error {
  constructor() {
    super("the last group in the database differs from the last group that was reported as committed");
  }
}

function run({ database, appender }: Opened, group: Group): GroupResults {
  const writer = new ResultWriter(countAppends(group.appends));
  const calls: CallResult[] = [];
  const runCallsBefore = (index: number) => {
    for (let call = group.calls[calls.length]; call !== undefined; call = group.calls[calls.length]) {
      if (call.before > index) return;
      appender.saveHeads();
      calls.push(runCall(database, call));
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

function runCall(database: Database, call: PlacedCall): CallResult {
  try {
    return { ok: true, value: database.savepoint(() => perform(database, call)) };
  } catch (error) {
    return { ok: false, message: messageOfSingle(database, error) };
  }
}

/** The text of an error that concerns only one write. Any other error is rethrown, and fails the whole group. */
function messageOfSingle(database: Database, error: unknown): string {
  if (!database.inTransaction || isStorageFailure(error)) throw error;
  return error instanceof Error ? error.message : String(error);
}
