// How long to wait before the next attempt: full jitter, so that many clients do not come back in one instant.

/** How long to wait between attempts: uniform between 0 and a bound that doubles. */
export interface BackoffOptions {
  /** Bound of the first delay, ms; it doubles with each failure. */
  readonly baseMs: number;
  /** The bound does not rise above this, ms. */
  readonly capMs: number;
  /** 0 ≤ random < 1; for tests. */
  readonly random?: () => number;
}

/** From half a second to half a minute. */
export const defaultBackoff: BackoffOptions = { baseMs: 500, capMs: 30_000 };

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions = defaultBackoff) {
    this.#options = options;
  }

  /** The delay, ms: uniform between 0 and a bound that doubles. A delay that the server asked for is added below it. */
  next(floorMs = 0): number {
    const { baseMs, capMs, random = Math.random } = this.#options;
    // Beyond 2^16 the cap holds anyway, and the power stays exact.
    const bound = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    return floorMs + random() * bound;
  }

  reset(): void {
    this.#failures = 0;
  }
}
