// The streams of this node as the store has them: adds and removes them, and repeats what failed until it is stored.
import type { Clock } from "../../../time/clock.ts";
import type { NodeLease } from "../../nodes/node-lease.ts";
import {
  type MostOnline,
  type OnlineStream,
  type OpenResult,
  type PresenceStore,
  StoreUnavailableError,
  type UserRow,
} from "../../store/store.ts";

export interface StoredStreamsOptions {
  readonly store: PresenceStore;
  readonly lease: NodeLease;
  /** The head of the broadcast conversation, as far as this node has delivered it; 0 if it has delivered none. */
  readonly broadcastHead: () => number;
  readonly clock: Clock;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
  /** Called when a user came online or went offline. */
  readonly onChange: () => void;
}

/** A stream of this node, open or lost. */
export interface PresentStream {
  readonly streamId: number;
  readonly user: UserRow;
  readonly sessionId: number;
  readonly processId: string;
}

interface Kept extends PresentStream {
  /** The epoch under which the store has it, or is to have it. */
  epoch: number;
  /** The epoch from which it is not moved yet. */
  movesFrom: number | undefined;
  isLost: boolean;
  /** Whether the last write of `isLost` failed. */
  isStale: boolean;
}

/** A stream whose removal is not stored yet. */
interface Closing {
  readonly stream: OnlineStream;
  readonly user: UserRow;
  readonly time: number;
  /** The broadcast head when the stream ended. Later broadcasts must not become visible, however late the removal is. */
  readonly broadcastHead: number;
  /** The last attempt: whether it was stored. Never rejects. */
  attempt: Promise<boolean>;
}

/** The streams that are moved to a new epoch in one write. */
const MOVED_AT_A_TIME = 500;
/** How often a stream is added. Every time but the first follows the loss of a lease. */
const MOST_ATTEMPTS = 3;

export class StoredStreams implements AsyncDisposable {
  readonly #options: StoredStreamsOptions;
  /** By id: the streams that the store has or gets. */
  readonly #kept = new Map<number, Kept>();
  /** By user. */
  readonly #closing = new Map<number, Set<Closing>>();
  /** The writes that have not been answered. */
  readonly #running = new Set<Promise<unknown>>();
  /** The head when a stream was added. */
  #broadcastHead = 0;
  #lastId = 0;
  #isDisposed = false;

  constructor(options: StoredStreamsOptions) {
    this.#options = options;
    options.lease.onRenewed(() => {
      if (!this.#isDisposed) void this.#track(this.#repair());
    });
  }

  /** A stream that is about to open. */
  make(user: UserRow, sessionId: number, processId: string): PresentStream {
    return { streamId: ++this.#lastId, user, sessionId, processId };
  }

  /**
   * Adds the stream. If the removal of another stream of the user is not stored yet, stores that first.
   * @throws StoreUnavailableError, also after the disposal
   */
  open(stream: PresentStream, most: MostOnline): Promise<Exclude<OpenResult["status"], "no-lease">> {
    return this.#track(this.#open(stream, most));
  }

  /** Records that the stream was lost. */
  lose({ streamId }: PresentStream): void {
    const kept = this.#kept.get(streamId);
    if (kept === undefined || this.#isDisposed) return;
    kept.isLost = true;
    void this.#track(this.#lose(kept));
  }

  /** Removes the stream. While the server stops, the streams stay in the store until the lease has been over for long enough. */
  close({ streamId }: PresentStream): void {
    const kept = this.#kept.get(streamId);
    if (kept === undefined || this.#isDisposed) return;
    this.#kept.delete(streamId);
    this.#close(kept);
  }

  /**
   * Removes the lost streams of a program on all nodes. Resolves when that is stored, and when the last attempts to remove
   * streams of the user are over. @throws StoreUnavailableError, also after the disposal
   */
  leave(userId: number, sessionId: number, processId: string): Promise<void> {
    return this.#track(this.#leave(userId, sessionId, processId));
  }

  /**
   * Waits for the writes that are running, and tries once more to remove what could not be removed. No write begins
   * later, because the store may be closed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await Promise.all(this.#allClosing().map((closing) => this.#again(closing)));
  }

  async #open(stream: PresentStream, most: MostOnline): ReturnType<StoredStreams["open"]> {
    const { store, lease, clock, onChange } = this.#options;
    if (this.#isDisposed) throw new StoreUnavailableError("the server is stopping");
    await Promise.all(this.#closingOf(stream.user.userId).map((closing) => this.#closed(closing)));
    for (let attempt = 1; ; attempt++) {
      const { epoch } = lease;
      const kept: Kept = { ...stream, epoch, movesFrom: undefined, isLost: false, isStale: false };
      let result: OpenResult;
      try {
        result = await store.open(rowOf(kept), clock.now(), most);
      } catch (error) {
        // The stream may be stored or not.
        this.#close(kept);
        throw error;
      }
      if (result.status === "online") {
        this.#kept.set(stream.streamId, kept);
        this.#broadcastHead = Math.max(this.#broadcastHead, result.broadcastHead);
        if (result.came) onChange();
        return result.status;
      }
      if (result.status !== "no-lease") return result.status;
      if (attempt === MOST_ATTEMPTS) throw new StoreUnavailableError("the lease of this node was lost again");
      await lease.lost(kept.epoch);
    }
  }

  async #leave(userId: number, sessionId: number, processId: string): Promise<void> {
    const { store, clock, onChange } = this.#options;
    if (this.#isDisposed) throw new StoreUnavailableError("the server is stopping");
    await Promise.all(this.#closingOf(userId).map(({ attempt }) => attempt));
    if (await store.leave(userId, sessionId, processId, clock.now())) onChange();
  }

  async #lose(kept: Kept): Promise<void> {
    try {
      await this.#options.store.lose(rowOf(kept));
      kept.isStale = false;
    } catch (error) {
      kept.isStale = true;
      this.#options.onError(error);
    }
  }

  #close(kept: Kept): void {
    const closing: Closing = {
      stream: rowOf(kept),
      user: kept.user,
      time: this.#options.clock.now(),
      broadcastHead: Math.max(this.#broadcastHead, this.#options.broadcastHead()),
      attempt: Promise.resolve(false),
    };
    const ofUser = this.#closing.get(kept.user.userId) ?? new Set();
    this.#closing.set(kept.user.userId, ofUser.add(closing));
    // The first attempt takes its place among the writes, so the store knows best which broadcasts came before.
    closing.attempt = this.#track(this.#attempt(closing, undefined));
  }

  async #attempt(closing: Closing, broadcastHead: number | undefined): Promise<boolean> {
    const { store, onError, onChange } = this.#options;
    const { stream, user, time } = closing;
    try {
      const isOffline = await store.close(stream, time, broadcastHead);
      const ofUser = this.#closing.get(user.userId);
      if (ofUser?.delete(closing) === true && ofUser.size === 0) this.#closing.delete(user.userId);
      if (isOffline) onChange();
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  }

  /** Waits for the last attempt, and makes another one if it failed. */
  async #again(closing: Closing): Promise<void> {
    if (await closing.attempt) return;
    closing.attempt = this.#track(this.#attempt(closing, closing.broadcastHead));
    await closing.attempt;
  }

  /** @throws StoreUnavailableError if the removal cannot be stored */
  async #closed(closing: Closing): Promise<void> {
    await this.#again(closing);
    if (!(await closing.attempt)) throw new StoreUnavailableError("an earlier stream could not be removed");
  }

  #closingOf(userId: number): Closing[] {
    return [...(this.#closing.get(userId) ?? [])];
  }

  #allClosing(): Closing[] {
    return [...this.#closing.values()].flatMap((ofUser) => [...ofUser]);
  }

  /** Repeats the writes that failed, and writes the streams of an earlier epoch again. Never rejects. */
  async #repair(): Promise<void> {
    const { epoch } = this.#options.lease;
    const kept = [...this.#kept.values()];
    for (const stream of kept) {
      // From now on its removal is written under the new epoch, and so after the move.
      if (stream.epoch !== epoch) Object.assign(stream, { movesFrom: stream.epoch, epoch });
    }
    const moving = kept.filter(({ movesFrom }) => movesFrom !== undefined);
    for (let at = 0; at < moving.length; at += MOVED_AT_A_TIME) {
      void this.#track(this.#move(moving.slice(at, at + MOVED_AT_A_TIME)));
    }
    await Promise.all([
      ...this.#allClosing().map((closing) => this.#again(closing)),
      ...kept.filter(({ isStale }) => isStale).map((stream) => this.#lose(stream)),
    ]);
  }

  /** Never rejects. */
  async #move(streams: readonly Kept[]): Promise<void> {
    const { store, clock, onError, onChange } = this.#options;
    try {
      const rows = streams.map((stream) => ({
        ...rowOf(stream),
        movesFrom: stream.movesFrom ?? stream.epoch,
        isLost: stream.isLost,
      }));
      const came = await store.move(rows, clock.now());
      // If this lease is lost, too, the streams are moved after the next renewal.
      if (came === undefined) return;
      for (const stream of streams) stream.movesFrom = undefined;
      if (came) onChange();
    } catch (error) {
      onError(error);
    }
  }

  #track<T>(write: Promise<T>): Promise<T> {
    this.#running.add(write);
    const settled = (): void => void this.#running.delete(write);
    write.then(settled, settled);
    return write;
  }
}

function rowOf({ epoch, streamId, user, sessionId, processId }: Kept): OnlineStream {
  return { epoch, streamId, userId: user.userId, sessionId, processId };
}
