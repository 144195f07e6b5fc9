// Warns the user some seconds before the server's idle time-out. The server tells its length in Welcome.
import type { Clock } from "../../../../time/clock.ts";

/** How long before the time-out the warning appears, ms; never before half of the time has passed. */
const AHEAD_MS = 10_000;

export interface IdleWarningOptions {
  readonly clock: Clock;
  /** Shows a sentence with the seconds that are left. */
  warn(seconds: number): void;
}

/**
 * Counts from the last command that this program knows of. Another program of the same login may have given a later
 * one: then the warning is early, and no time-out follows.
 */
export class IdleWarning implements Disposable {
  readonly #options: IdleWarningOptions;
  #timeoutMs: number | undefined;
  #timer: Disposable | undefined;
  #isWarning = false;

  constructor(options: IdleWarningOptions) {
    this.#options = options;
  }

  /** The user was warned, and has given no command since. */
  get isWarning(): boolean {
    return this.#isWarning;
  }

  /** Takes the length of the time-out from a Welcome; undefined: there is none. The first call counts as a command. */
  limit(timeoutMs: number | undefined): void {
    const isFirst = this.#timeoutMs === undefined;
    this.#timeoutMs = timeoutMs;
    if (timeoutMs === undefined) this[Symbol.dispose]();
    else if (isFirst) this.active();
  }

  /** The user gave a command that the server counts. */
  active(): void {
    this[Symbol.dispose]();
    this.#isWarning = false;
    if (this.#timeoutMs === undefined) return;
    const aheadMs = Math.min(AHEAD_MS, this.#timeoutMs / 2);
    this.#timer = this.#options.clock.after(Math.min(this.#timeoutMs - aheadMs, 2 ** 31 - 1), () => {
      this.#isWarning = true;
      this.#options.warn(Math.round(aheadMs / 1000));
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
