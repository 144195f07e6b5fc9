// Writes on one connection: one transaction for each group. Nothing else writes to the data while a server runs.

import type { StoreProblem } from "../../store.ts";
import { broadcastConversationId } from "../broadcast.ts";
import { checkData, withRestore } from "../database/data-check.ts";
import {
  checkStructure,
  type Database,
  DatabaseRefusedError,
  isStorageFailure,
  openDatabase,
} from "../database/database.ts";
import { HeadFile } from "../database/head-file.ts";
import { DataDamagedError, isDamage } from "../database/refused.ts";
import { migrate } from "../migrations.ts";
import { commitNumber, lastPosition } from "../operations/heads.ts";
import { Appender } from "../operations/log/append.ts";
import { perform } from "../operations/operations.ts";
import {
  type CallFailure,
  type CallResult,
  countAppends,
  type Group,
  type GroupResults,
  type PlacedCall,
  ResultWriter,
  unpackAppends,
} from "./group.ts";
import type { DataState, GroupAnswer, WriterOptions } from "./messages.ts";
import type { Role, Send } from "./request-loop.ts";

/** A connection and the caches of its data. Both are dropped after a failure. */
class Opened {
  readonly database: Database;
  readonly appender: Appender;
  /** The groups with operations that were committed. */
  groups: number;

  constructor(database: Database, groups: number) {
    this.database = database;
    this.appender = new Appender(database);
    this.groups = groups;
  }

  /** The number of the last commit, or of the one in progress. */
  get number(): number {
    return this.groups + this.appender.position;
  }
}

export class Writer {
  readonly #options: WriterOptions;
  #opened: Opened | undefined;
  /** The number of the last commit that this writer reported. */
  #number: number | undefined;
  #dataVersion: unknown;
  #changed = false;
  /** Undefined while the data is opened, and if the disk had no room for the file. */
  #head: HeadFile | undefined;
  #isHeadReported = false;
  readonly #onProblem: (problem: StoreProblem) => void;

  constructor(options: WriterOptions, onProblem: (problem: StoreProblem) => void) {
    this.#options = options;
    this.#onProblem = onProblem;
  }

  /**
   * Checks the files, opens and migrates the database, and checks it for damage. Throws DatabaseRefusedError, whose text
   * is for the operator.
   */
  open(): DataState {
    const { file } = this.#options;
    try {
      checkData(file);
      const { database } = this.#open();
      checkStructure(database, file);
      const row = database.get<{ serverId: string; number: number; position: number }>(
        `SELECT server_id AS serverId, ${commitNumber} AS number, ${lastPosition} AS position FROM server
         WHERE EXISTS (SELECT 1 FROM conversations WHERE conversation_id = ? AND kind = 'broadcast')`,
        broadcastConversationId,
      );
      if (row === undefined) throw new DataDamagedError(`${file} is damaged: rows that it needs are missing`);
      this.#openHead(database, row);
      return row;
    } catch (error) {
      this.#abandon();
      throw withRestore(file, error);
    }
  }

  /**
   * Commits the whole group or nothing. Single writes may fail inside a group that is committed: a write that meets
   * damage is left out, and the others are tried again.
   */
  commit(group: Group): GroupAnswer {
    const damaged: DamagedWrites = new Map();
    for (;;) {
      try {
        const opened = this.#opened ?? this.#open();
        const { database } = opened;
        database.exec("BEGIN IMMEDIATE");
        this.#lookForChange(opened);
        const before = opened.number;
        const results = run(opened, group, damaged);
        // A group that only appends writes no row but those of its entries: their positions are its number.
        if (group.calls.length > 0) {
          database.run("UPDATE server SET group_number = group_number + 1");
          opened.groups += 1;
        }
        database.exec("COMMIT");
        const { number } = opened;
        this.#number = number;
        if (number !== before) this.#advanceHead(number);
        return { type: "committed", number, position: opened.appender.position, results };
      } catch (error) {
        if (error instanceof LostTrackError) throw error;
        this.#abandon();
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof DamagedWriteError || isDamage(error)) this.#reportDamage(message);
        if (!(error instanceof DamagedWriteError) || damaged.size >= MOST_DAMAGED)
          return { type: "failed", message };
        damaged.set(error.write, { message, isDamaged: true });
      }
    }
  }

  #reportDamage(message: string): void {
    this.#onProblem({ kind: "damaged", message: `${this.#options.file} is damaged: ${message}` });
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

  /** Call it once a second: writes the head file to the disk, without waiting for it. */
  syncHead(): void {
    this.#head?.sync((error) => this.#reportHead(error));
  }

  /** Moves the log into the database file and closes the connection. */
  close(): void {
    const database = this.#opened?.database;
    this.#opened = undefined;
    const head = this.#head;
    this.#head = undefined;
    try {
      head?.[Symbol.dispose]();
      database?.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      database?.[Symbol.dispose]();
    }
  }

  /** From now on the head file exists. If the disk has no room for it, the next start makes it. */
  #openHead(database: Database, { serverId, number }: DataState): void {
    try {
      this.#head = HeadFile.open(this.#options.file, { serverId, group: number });
      database.run("UPDATE server SET has_head = 1 WHERE has_head = 0");
    } catch (error) {
      if (error instanceof DatabaseRefusedError) throw error;
      this.#reportHead(error);
    }
  }

  /** The group is committed, so a failure does not concern its writes. */
  #advanceHead(number: number): void {
    try {
      this.#head?.advance(number);
    } catch (error) {
      this.#reportHead(error);
    }
  }

  /** Reports once. A head file that is behind only finds less. */
  #reportHead(error: unknown): void {
    if (this.#isHeadReported) return;
    this.#isHeadReported = true;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the head file of ${this.#options.file} cannot be written: ${reason}`;
    this.#onProblem({ kind: "unwritable", message });
  }

  #open(): Opened {
    const database = openDatabase(this.#options);
    try {
      migrate(database, this.#options.file);
      // After a crash during a sync, a group in the log may be readable but not durable. The checkpoint syncs it.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      const groups =
        database.get<{ groups: number }>("SELECT group_number AS groups FROM server")?.groups ?? 0;
      const opened = new Opened(database, groups);
      const { number } = opened;
      if (this.#number !== undefined && this.#number !== number) throw new LostTrackError();
      // The data version does not show whether another process changed the data between two connections, so assume it.
      if (this.#number !== undefined) this.#changed = true;
      this.#number = number;
      this.#dataVersion = database.pragma("data_version");
      this.#opened = opened;
      return opened;
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

/** The interval at which the head file is written to the disk, in milliseconds. */
const syncInterval = 1_000;

/** Handles the requests to the writer. */
export function writerRole(options: WriterOptions): Role {
  let send: Send | undefined;
  const writer = new Writer(options, (problem) => send?.({ type: "problem", problem }));
  let polling: NodeJS.Timeout | undefined;
  let syncing: NodeJS.Timeout | undefined;
  return {
    open(sendAnswer) {
      send = sendAnswer;
      const state = writer.open();
      polling = setInterval(() => {
        if (writer.poll()) sendAnswer({ type: "external-change" });
      }, pollInterval);
      syncing = setInterval(() => writer.syncHead(), syncInterval);
      return state;
    },
    take(request, send) {
      if (request.type !== "group") throw new Error(`the writer received a request of type ${request.type}`);
      const answer = writer.commit(request.group);
      send(answer, answer.type === "committed" ? [answer.results.appends.buffer] : []);
    },
    close() {
      clearInterval(polling);
      clearInterval(syncing);
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
    super("the last commit in the database differs from the last commit that was reported");
  }
}

/** Names a write of a group by its index. */
type WriteKey = `append ${number}` | `call ${number}`;

/** The writes of a group that are left out because they met damage, each with its failure. */
type DamagedWrites = Map<WriteKey, CallFailure>;

/** How many writes of one group are left out. If more meet damage, the group fails. */
const MOST_DAMAGED = 8;

/** Thrown when a write meets damage. The transaction cannot be trusted after that. */
class DamagedWriteError extends Error {
  readonly write: WriteKey;

  constructor(write: WriteKey, what: string, cause: unknown) {
    super(`${what} failed (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
    this.write = write;
  }
}

function run({ database, appender }: Opened, group: Group, damaged: DamagedWrites): GroupResults {
  const writer = new ResultWriter(countAppends(group.appends));
  const calls: CallResult[] = [];
  const runCallsBefore = (index: number) => {
    for (let call = group.calls[calls.length]; call !== undefined; call = group.calls[calls.length]) {
      if (call.before > index) return;
      calls.push(runCall(database, call, calls.length, damaged));
      if (call.area === "accounts") appender.forgetUsers();
      if (call.area === "blocks") appender.forgetBlocks();
    }
  };
  let index = 0;
  for (const append of unpackAppends(group.appends)) {
    runCallsBefore(index);
    const key: WriteKey = `append ${index++}`;
    const failure = damaged.get(key);
    try {
      if (failure === undefined) writer.add(append.senderId, appender.append(append));
      else writer.addFailure(failure);
    } catch (error) {
      const { conversationId, senderId, peerId } = append;
      writer.addFailure(
        failureOfSingle(database, error, key, `append(${conversationId}, ${peerId}, ${senderId})`),
      );
    }
  }
  runCallsBefore(index);
  return { appends: writer.appends, calls, errors: writer.errors, hidden: writer.hidden };
}

function runCall(database: Database, call: PlacedCall, index: number, damaged: DamagedWrites): CallResult {
  const key: WriteKey = `call ${index}`;
  const failure = damaged.get(key);
  if (failure !== undefined) return { ok: false, ...failure };
  try {
    return { ok: true, value: database.savepoint(() => perform(database, call)) };
  } catch (error) {
    return { ok: false, ...failureOfSingle(database, error, key, `${call.area}.${call.name}`) };
  }
}

/** The failure of an error that concerns only one write. Any other error is thrown, and rolls the group back. */
function failureOfSingle(database: Database, error: unknown, write: WriteKey, what: string): CallFailure {
  if (isDamage(error)) throw new DamagedWriteError(write, what, error);
  if (!database.inTransaction || isStorageFailure(error)) throw error;
  return { message: error instanceof Error ? error.message : String(error), isDamaged: false };
}
