// Writes to the store when sessions had their last command, so that other nodes do not end them as idle. The times of many
// commands share a write.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { AccountStore } from "../../store/store.ts";

export interface ActivityWriterOptions {
  readonly accounts: Pick<AccountStore, "reportActivity">;
  /** A time is written at most this many ms after its command. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export class ActivityWriter implements AsyncDisposable {
  readonly #options: ActivityWriterOptions;
  /** The times to write, by session id. */
  #waiting = new Map<number, number>();
  #timer: Timer | undefined;
  readonly #writes = new Set<Promise<void>>();
  #isDisposed = false;

  constructor(options: ActivityWriterOptions) {
    this.#options = options;
  }

  /** @param isUrgent whether to write the time now, together with those that wait */
  report(sessionId: number, time: number, isUrgent: boolean): void {
    if (this.#isDisposed) return;
    this.#waiting.set(sessionId, time);
    if (isUrgent) this.#write();
    else this.#timer ??= this.#options.clock.after(this.#options.everyMs, () => this.#write());
  }

  /** Drops the time of a session that ended. */
  forget(sessionId: number): void {
    this.#waiting.delete(sessionId);
  }

  /** Writes the times that wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#write();
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    await Promise.all(this.#writes);
  }

  #write(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const times = this.#waiting;
    this.#waiting = new Map();
    const write = this.#options.accounts.reportActivity([...times]).catch((error: unknown) => {
      this.#options.onError(error);
      // They are written with the next times.
      for (const [sessionId, time] of times) {
        if (!this.#waiting.has(sessionId)) this.report(sessionId, time, false);
      }
    });
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }
}
