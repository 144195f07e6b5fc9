// The delay before the next attempt: exponential with full jitter, so that many clients do not reconnect at the same
// time.

/** The delays between attempts: uniformly random between 0 and a bound that doubles with each failure. */
export interface BackoffOptions {
  /** The bound of the first delay, ms. */
  readonly baseMs: number;
  /** The highest bound, ms. */
  readonly capMs: number;
  /** Returns a number from 0 (inclusive) to 1 (exclusive); for tests. */
  readonly random?: () => number;
}

/** Bounds from 0.5 s to 30 s. */
export const defaultBackoff: BackoffOptions = { baseMs: 500, capMs: 30_000 };

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions = defaultBackoff) {
    this.#options = options;
  }

  /** The next delay, ms: `floorMs`, which the server asked for, plus the random delay. */
  next(floorMs = 0): number {
    const { baseMs, capMs, random = Math.random } = this.#options;
    // Above 2^16 the cap applies anyway.
    const bound = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    return floorMs + random() * bound;
  }

  reset(): void {
    this.#failures = 0;
  }
}
