// The store in one SQLite file: a thread that writes in groups, a thread that reads, and the order between them.
import type {
  AccountStore,
  BlockStore,
  IdentityStore,
  LogInStore,
  LogStore,
  PresenceStore,
  Store,
} from "../store.ts";
import { broadcastConversationId } from "./migrations/0001_first_shape.ts";
import { unpackEntries } from "./operations/entries.ts";
import { type Call, caller } from "./operations/operations.ts";
import { GroupCommit } from "./threads/group-commit.ts";
import { HeldReads } from "./threads/held-reads.ts";
import { StoreThread } from "./threads/thread.ts";
import type { Answer } from "./threads/worker.ts";
import type { DataState } from "./threads/writer.ts";

export interface SqliteStoreOptions {
  /** Created where missing, with its folder; readable by its owner only. */
  file: string;
  /** Writes in one commit at most; 1000 by default. */
  groupCount?: number | undefined;
  /** Bytes of content in one commit at most (a single larger entry still goes); 4 MiB by default. */
  groupBytes?: number | undefined;
  /** Pages of 4 KiB at most; growing beyond fails as a full disk does. Unlimited by default. */
  maxPages?: number | undefined;
  /** The store has lost a thread: from now on it answers nothing but StoreUnavailableError. Called once. */
  onFatal?: ((error: Error) => void) | undefined;
}

/** Rejects with DatabaseRefusedError, whose text is for the operator, where the file cannot be served. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const store = new SqliteStore(options);
  await store.open();
  return store;
}

class SqliteStore implements Store {
  readonly broadcastId = broadcastConversationId;
  readonly accounts: AccountStore;
  readonly log: LogStore;
  readonly presence: PresenceStore;
  readonly blocks: BlockStore;
  readonly logIns: LogInStore;
  readonly identities: IdentityStore;
  readonly #writer: StoreThread;
  readonly #reader: StoreThread;
  readonly #options: SqliteStoreOptions;
  readonly #externalListeners: (() => void)[] = [];
  #data: Data | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    const { file, maxPages } = options;
    const listener = {
      onAnswer: (answer: Answer) => this.#take(answer),
      onDeath: (error: Error) => this.#die(error),
    };
    this.#writer = new StoreThread({ role: "writer", file, maxPages }, listener);
    this.#reader = new StoreThread({ role: "reader", file }, listener);
    const write = (call: Call) => this.#opened.writes.call(call);
    const writePatiently = (call: Call) => this.#opened.writes.call(call, true);
    const read = (call: Call) => this.#opened.reads.call(call);
    this.accounts = accountStore(read, write);
    this.presence = presenceStore(read, write);
    this.blocks = blockStore(read, write);
    this.logIns = logInStore(read, write);
    this.identities = identityStore(read, write);
    this.log = {
      append: (entry) => this.#opened.writes.append(entry),
      onAppended: (listener) => this.#opened.writes.onAppended(listener),
      ...logReads(read),
      raiseMarkers: (userId, markers) => caller("log", writePatiently)("raiseMarkers", userId, markers),
    };
  }

  get serverId(): string {
    return this.#opened.serverId;
  }

  onExternalChange(listener: () => void): void {
    this.#externalListeners.push(listener);
  }

  /** The writer first: it makes and migrates what the reader then opens. */
  async open(): Promise<void> {
    try {
      const state = await this.#writer.open();
      if (state === undefined) throw new Error("the writer did not tell the state of the data");
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

  #assemble({ serverId, number }: DataState): Data {
    const { groupCount: count = 1_000, groupBytes: bytes = 4 * 1024 * 1024 } = this.#options;
    const reads = new HeldReads(number, (id, call) => this.#reader.post({ type: "read", id, call }));
    const writes = new GroupCommit(
      { count, bytes },
      number,
      (group) => {
        const { fields, contents } = group.appends;
        this.#writer.post({ type: "group", group }, [fields, contents]);
      },
      (told) => reads.told(told),
    );
    return { serverId, reads, writes };
  }

  #take(answer: Answer): void {
    switch (answer.type) {
      case "committed":
      case "failed":
        // After a death everything was rejected already.
        if (this.#failure === undefined) this.#opened.writes.settle(answer);
        return;
      case "read":
        if (this.#failure === undefined) this.#opened.reads.settle(answer.id, answer.answer);
        return;
      case "external-change":
        for (const listener of this.#externalListeners) listener();
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
    // While it opens, the failure is `open`'s to tell.
    if (this.#data !== undefined) this.#options.onFatal?.(error);
  }

  async #close(): Promise<void> {
    await Promise.all([this.#data?.writes.finish(), this.#data?.reads.finish()]);
    await this.#closeThreads();
  }

  /** The reader first, so that the writer is the last to let go of the file and clears its log away. */
  async #closeThreads(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
  }
}

interface Data {
  readonly serverId: string;
  readonly reads: HeldReads;
  readonly writes: GroupCommit;
}

type Send = (call: Call) => Promise<unknown>;

function accountStore(sendRead: Send, sendWrite: Send): AccountStore {
  const read = caller("accounts", sendRead);
  const write = caller("accounts", sendWrite);
  return {
    userByName: (username) => read("userByName", username),
    usersById: (userIds) => read("usersById", userIds),
    listUsers: (afterName, limit) => read("listUsers", afterName, limit),
    addUser: (user) => write("addUser", user),
    importUsers: (users) => write("importUsers", users),
    knownNames: (usernames) => read("knownNames", usernames),
    setPassword: (userId, change) => write("setPassword", userId, change),
    setAdministrator: (username, isAdministrator) => write("setAdministrator", username, isAdministrator),
    isAdministrator: (userId) => read("isAdministrator", userId),
    administrators: () => read("administrators"),
    hasDevice: (userId, deviceId, secretHash) => read("hasDevice", userId, deviceId, secretHash),
    removeUser: (username) => write("removeUser", username),
    startSession: (session) => write("startSession", session),
    sessionByToken: (tokenHash, now) => read("sessionByToken", tokenHash, now),
    touchSession: (sessionId, lastUsedTime, expireTime) =>
      write("touchSession", sessionId, lastUsedTime, expireTime),
    listSessions: (userId, beforeId, limit, now) => read("listSessions", userId, beforeId, limit, now),
    endSession: (userId, sessionId) => write("endSession", userId, sessionId),
    validSessions: (sessionIds, now) => read("validSessions", sessionIds, now),
    liveSessions: (afterId, limit, now) => read("liveSessions", afterId, limit, now),
    addInvite: (hash, uses, expireTime, time) => write("addInvite", hash, uses, expireTime, time),
  };
}

function presenceStore(sendRead: Send, sendWrite: Send): PresenceStore {
  const read = caller("presence", sendRead);
  const write = caller("presence", sendWrite);
  return {
    open: (userId, time) => write("open", userId, time),
    close: (userId, time) => write("close", userId, time),
    heartbeat: (time) => write("heartbeat", time),
    openIntervals: () => read("openIntervals"),
    list: (since, now, askingId, afterName, limit) => read("list", since, now, askingId, afterName, limit),
  };
}

function blockStore(sendRead: Send, sendWrite: Send): BlockStore {
  const read = caller("blocks", sendRead);
  const write = caller("blocks", sendWrite);
  return {
    block: (blockerId, blockedId, time) => write("block", blockerId, blockedId, time),
    unblock: (blockerId, blockedId) => write("unblock", blockerId, blockedId),
    listBlocks: (blockerId, afterName, limit) => read("listBlocks", blockerId, afterName, limit),
    isBlocking: (blockerId, blockedId) => read("isBlocking", blockerId, blockedId),
    isBetween: (userId, otherId) => read("isBetween", userId, otherId),
    blockedBy: (blockerIds) => read("blockedBy", blockerIds),
  };
}

function logInStore(sendRead: Send, sendWrite: Send): LogInStore {
  const read = caller("logIns", sendRead);
  const write = caller("logIns", sendWrite);
  return {
    failures: (key) => read("failures", key),
    saveFailures: (key, failures, time) => write("saveFailures", key, failures, time),
    clearFailures: (key) => write("clearFailures", key),
    record: (logIn) => write("record", logIn),
    listLogIns: (userId, beforeId, limit) => read("listLogIns", userId, beforeId, limit),
  };
}

function identityStore(sendRead: Send, sendWrite: Send): IdentityStore {
  const read = caller("identities", sendRead);
  const write = caller("identities", sendWrite);
  return {
    registerDevice: (device) => write("registerDevice", device),
    signDevice: (signature) => write("signDevice", signature),
    listDevices: (userId, afterId, limit) => read("listDevices", userId, afterId, limit),
    identity: (userId) => read("identity", userId),
    peerDevice: (deviceId) => read("peerDevice", deviceId),
  };
}

function logReads(sendRead: Send): Omit<LogStore, "append" | "onAppended" | "raiseMarkers"> {
  const read = caller("log", sendRead);
  return {
    conversations: (userId, afterId, limit) => read("conversations", userId, afterId, limit),
    conversation: (userId, conversationId) => read("conversation", userId, conversationId),
    heads: (userId, conversationIds) => read("heads", userId, conversationIds),
    directConversation: (userId, peerId) => read("directConversation", userId, peerId),
    entries: async (conversationId, from, to, limit, newest = false) =>
      unpackEntries(await read("entries", conversationId, from, to, limit, newest)),
    visibleRanges: (userId, conversationId, from, to) =>
      read("visibleRanges", userId, conversationId, from, to),
  };
}
