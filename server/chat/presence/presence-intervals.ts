// The stored intervals of presence: opens and closes them, and repeats a close that failed until it is stored.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { Bus } from "../../bus/bus.ts";
import { limits } from "../../limits.ts";
import { type PresenceStore, StoreUnavailableError } from "../../store/store.ts";

export interface IntervalsOptions {
  readonly store: PresenceStore;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
}

/** An interval whose close is not stored yet. */
interface Closing {
  readonly time: number;
  /** The broadcast head when the user left. Later broadcasts must not become visible, however late the close is. */
  readonly broadcastHead: number;
  readonly onClosed: () => void;
  /** The last attempt: whether it was stored. Never rejects. */
  attempt: Promise<boolean>;
}

export class PresenceIntervals implements AsyncDisposable {
  readonly #options: IntervalsOptions;
  readonly #closing = new Map<number, Closing>();
  readonly #subscription: Disposable;
  /** The calls of `open` that have not returned yet. */
  readonly #opening = new Set<Promise<void>>();
  #isDisposed = false;
  #broadcastHead = 0;
  #heartbeat: Timer | undefined;
  #retry: Timer | undefined;

  constructor(options: IntervalsOptions) {
    this.#options = options;
    // Of all entries, only broadcasts are published to everyone.
    this.#subscription = options.bus.subscribe("everyone", (message) => {
      if (message.kind === "entry") this.#broadcastHead = Math.max(this.#broadcastHead, message.seq);
    });
  }

  /** Reads the intervals that the previous process left open, and the time of its last heartbeat. */
  async start(): Promise<{ heartbeat: number; userIds: number[] }> {
    const { broadcastHead, ...found } = await this.#options.store.openIntervals();
    this.#broadcastHead = Math.max(this.#broadcastHead, broadcastHead);
    return found;
  }

  /** Writes a heartbeat now, and then regularly. */
  async startHeartbeat(): Promise<void> {
    const { store, clock, onError } = this.#options;
    await store.heartbeat(clock.now());
    this.#heartbeat = clock.every(limits.presenceHeartbeatMs, () => {
      store.heartbeat(clock.now()).catch(onError);
    });
  }

  /**
   * Opens an interval. If the previous one is not closed yet, closes it first, at the time when the user left.
   * @throws StoreUnavailableError after the disposal
   */
  async open(userId: number): Promise<void> {
    if (this.#isDisposed) throw new StoreUnavailableError("the server is stopping");
    const opening = this.#open(userId);
    this.#opening.add(opening);
    try {
      await opening;
    } finally {
      this.#opening.delete(opening);
    }
  }

  async #open(userId: number): Promise<void> {
    const { store, clock } = this.#options;
    const closing = this.#closing.get(userId);
    if (closing !== undefined) {
      if (!(await closing.attempt)) await store.close(userId, closing.time, closing.broadcastHead);
      if (this.#closing.get(userId) === closing) this.#closing.delete(userId);
    }
    await store.open(userId, clock.now());
  }

  /** Closes the user's interval now, and calls `onClosed` when that is stored. */
  close(userId: number, onClosed: () => void): void {
    // If an earlier close is not stored, the interval ended then, and an attempt to come back failed.
    const earlier = this.#closing.get(userId);
    const closing: Closing = {
      time: earlier?.time ?? this.#options.clock.now(),
      broadcastHead: earlier?.broadcastHead ?? this.#broadcastHead,
      onClosed,
      attempt: Promise.resolve(false),
    };
    this.#closing.set(userId, closing);
    // The first attempt takes its place among the writes, so the store knows best which broadcasts came before.
    closing.attempt = this.#attempt(userId, closing, earlier?.broadcastHead);
  }

  /** Whether the user's last interval is not closed yet, although the user has left. */
  isClosing(userId: number): boolean {
    return this.#closing.has(userId);
  }

  /** Resolves when the last attempt to close the user's interval is over. */
  async attempted(userId: number): Promise<void> {
    await this.#closing.get(userId)?.attempt;
  }

  /**
   * Waits for the writes in progress, tries once more to close what could not be closed, and writes a last heartbeat.
   * Nothing is written after that.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { store, clock } = this.#options;
    this.#isDisposed = true;
    this.#subscription[Symbol.dispose]();
    this.#heartbeat?.[Symbol.dispose]();
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#closing].map(([userId, closing]) => this.#again(userId, closing)));
    this.#retry?.[Symbol.dispose]();
    await store.heartbeat(clock.now());
  }

  async #attempt(userId: number, closing: Closing, broadcastHead: number | undefined): Promise<boolean> {
    const { store, clock, onError } = this.#options;
    try {
      await store.close(userId, closing.time, broadcastHead);
    } catch (error) {
      onError(error);
      this.#retry ??= clock.after(limits.presenceHeartbeatMs, () => this.#retryAll());
      return false;
    }
    if (this.#closing.get(userId) === closing) {
      this.#closing.delete(userId);
      closing.onClosed();
    }
    return true;
  }

  /** Waits for the last attempt, and makes another one if it failed and the user has not come back. */
  async #again(userId: number, closing: Closing): Promise<void> {
    if ((await closing.attempt) || this.#closing.get(userId) !== closing) return;
    closing.attempt = this.#attempt(userId, closing, closing.broadcastHead);
    await closing.attempt;
  }

  #retryAll(): void {
    this.#retry = undefined;
    for (const [userId, closing] of this.#closing) void this.#again(userId, closing);
  }
}
