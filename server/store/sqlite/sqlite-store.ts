// The store in one SQLite file: a thread that writes in groups, a thread that reads, and the order between them.

import { READ_BYTES, READ_ENTRIES } from "../log-follower.ts";
import type {
  AccountStore,
  AdminStore,
  BlockStore,
  IdentityStore,
  LogInStore,
  LogStore,
  NodeStore,
  PresenceStore,
  Store,
  StoreProblem,
} from "../store.ts";
import { broadcastConversationId } from "./broadcast.ts";
import { unpackCommitted } from "./operations/log/committed.ts";
import { unpackEntries } from "./operations/log/entries.ts";
import type { Runner } from "./operations/operation.ts";
import { methodsOf, type OperationCall } from "./operations/operations.ts";
import { GroupCommit } from "./threads/group-commit.ts";
import { HeldReads } from "./threads/held-reads.ts";
import type { DataState, ThreadAnswer } from "./threads/messages.ts";
import { type StartThread, startWorker, type Thread } from "./threads/thread.ts";

export interface SqliteStoreOptions {
  /** The path of the database. The file and its folder are created if missing. Only the owner can read them. */
  file: string;
  /** The most writes in one commit; 1000 by default. */
  groupCount?: number | undefined;
  /** The most bytes of content in one commit, unless a single entry is larger; 4 MiB by default. */
  groupBytes?: number | undefined;
  /** The most pages of 4 KiB. Growing beyond them fails like a full disk. Unlimited by default. */
  maxPages?: number | undefined;
  /** Starts the reader and the writer; as worker threads by default. */
  startThread?: StartThread | undefined;
  /** Called once when the store has lost a thread. From then on it answers only with StoreUnavailableError. */
  onFatal?: ((error: Error) => void) | undefined;
}

/** The most problems that wait for the first listener. */
const MOST_EARLY_PROBLEMS = 10;

/** Opens the store. Rejects with DatabaseRefusedError, whose text is for the operator, if the file cannot be served. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const store = new SqliteStore(options);
  await store.open();
  return store;
}

class SqliteStore implements Store {
  readonly broadcastId = broadcastConversationId;
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly log: LogStore;
  readonly nodes: NodeStore;
  readonly presence: PresenceStore;
  readonly blocks: BlockStore;
  readonly logIns: LogInStore;
  readonly identities: IdentityStore;
  readonly #writer: Thread;
  readonly #reader: Thread;
  readonly #options: SqliteStoreOptions;
  readonly #externalListeners: (() => void)[] = [];
  readonly #problemListeners: ((problem: StoreProblem) => void)[] = [];
  /** The problems before the first listener. */
  readonly #earlyProblems: StoreProblem[] = [];
  #data: Data | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    const { file, maxPages, startThread = startWorker } = options;
    const listener = {
      onAnswer: (answer: ThreadAnswer) => this.#take(answer),
      onDeath: (error: Error) => this.#die(error),
    };
    this.#writer = startThread({ role: "writer", file, maxPages }, listener);
    this.#reader = startThread({ role: "reader", file }, listener);
    const send = (runner: Runner, call: OperationCall) => this.#send(runner, call);
    this.accounts = methodsOf("accounts", send);
    this.admin = methodsOf("admin", send);
    this.nodes = methodsOf("nodes", send);
    this.presence = methodsOf("presence", send);
    this.blocks = methodsOf("blocks", send);
    this.logIns = methodsOf("logIns", send);
    this.identities = methodsOf("identities", send);
    const log = methodsOf("log", send);
    const since: LogStore["since"] = async (...range) =>
      unpackCommitted(await log.since(...range), this.#opened.position);
    this.log = {
      ...log,
      entries: async (...range) => unpackEntries(await log.entries(...range)),
      append: (entry) => this.#opened.writes.append(entry),
      since,
      follow: (follower) =>
        Promise.resolve(
          this.#opened.writes.follow(follower, (position) => since(position, READ_ENTRIES, READ_BYTES)),
        ),
    };
  }

  get serverId(): string {
    return this.#opened.serverId;
  }

  onExternalChange(listener: () => void): void {
    this.#externalListeners.push(listener);
  }

  onProblem(listener: (problem: StoreProblem) => void): void {
    this.#problemListeners.push(listener);
    for (const problem of this.#earlyProblems.splice(0)) listener(problem);
  }

  /** Opens the writer first, since it creates and migrates the file that the reader then opens. */
  async open(): Promise<void> {
    try {
      const state = await this.#writer.open();
      if (state === undefined) throw new Error("the writer did not report the state of the data");
      await this.#reader.open();
      this.#data = this.#assemble(state);
    } catch (error) {
      await this.#closeThreads();
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #opened(): Data {
    if (this.#data === undefined) throw new Error("the store is not open");
    return this.#data;
  }

  #send(runner: Runner, call: OperationCall): Promise<unknown> {
    const { reads, writes } = this.#opened;
    return runner === "reader" ? reads.call(call) : writes.call(call, runner === "patient writer");
  }

  #assemble({ serverId, number, position }: DataState): Data {
    const { groupCount: count = 1_000, groupBytes: bytes = 4 * 1024 * 1024 } = this.#options;
    const reads = new HeldReads(number, (id, call) => this.#reader.post({ type: "read", id, call }));
    const writes = new GroupCommit(
      { count, bytes },
      position,
      (group) => {
        const { fields, contents } = group.appends;
        this.#writer.post({ type: "group", group }, [fields, contents]);
      },
      (announced) => reads.release(announced),
    );
    return { serverId, position, reads, writes };
  }

  #take(answer: ThreadAnswer): void {
    switch (answer.type) {
      case "committed":
      case "failed":
        // After a thread has died, all promises have been rejected already.
        if (this.#failure === undefined) this.#opened.writes.settle(answer);
        return;
      case "read":
        if (this.#failure === undefined) this.#opened.reads.settle(answer.id, answer.answer);
        return;
      case "external-change":
        for (const listener of this.#externalListeners) listener();
        return;
      case "problem":
        if (this.#problemListeners.length === 0 && this.#earlyProblems.length < MOST_EARLY_PROBLEMS) {
          this.#earlyProblems.push(answer.problem);
        }
        for (const listener of this.#problemListeners) listener(answer.problem);
        return;
      case "opened":
      case "refused":
      case "closed":
        return;
    }
  }

  #die(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const reason = `the store has failed: ${error.message}`;
    this.#data?.writes.fail(reason);
    this.#data?.reads.fail(reason);
    // While the store is opening, `open` reports the failure instead.
    if (this.#data !== undefined) this.#options.onFatal?.(error);
  }

  async #close(): Promise<void> {
    await Promise.all([this.#data?.writes.finish(), this.#data?.reads.finish()]);
    await this.#closeThreads();
  }

  /** Closes the reader's connection first: SQLite removes the log when the last connection, the writer's, closes. */
  async #closeThreads(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
    await Promise.all([this.#reader.exited, this.#writer.exited]);
  }
}

interface Data {
  readonly serverId: string;
  /** The position of the newest entry when the data was opened. */
  readonly position: number;
  readonly reads: HeldReads;
  readonly writes: GroupCommit;
}
