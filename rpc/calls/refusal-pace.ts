// Paces the calls of a connection that are refused or have no token: each costs the server more than the client, and a
// client that makes the next call as soon as one has ended would take all of the server's time.

/** Refusals of one connection that are sent at once, by default. */
export const REFUSALS_AT_ONCE = 60;
/** The time between further ones, ms. */
const INTERVAL_MS = 20;
/** The longest delay, ms. With the bound on open calls, it also bounds the refusals of a connection. */
const MOST_MS = 2_000;

export class RefusalPace {
  readonly #atOnce: number;
  /** When the next refusal is due if the burst is used up, by the monotonic clock. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Counts a refusal. @returns how long to wait before it is sent, ms */
  delay(now: number): number {
    const earliest = now - this.#atOnce * INTERVAL_MS;
    this.#due = Math.min(Math.max(this.#due, earliest) + INTERVAL_MS, now + MOST_MS);
    return Math.max(0, this.#due - now);
  }
}
