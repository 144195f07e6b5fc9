// Paces calls that are refused or have no token: each costs the server more than the client, and a client that makes the
// next call as soon as one has ended would take all of the server's time.

/** Refusals of one connection that are sent at once, by default. */
export const REFUSALS_AT_ONCE = 60;
/** The time between further ones, ms. */
const INTERVAL_MS = 20;
/** How many times as many refusals one address may have, which many people may share. */
const ADDRESS_FACTOR = 10;
/** The longest delay, ms. With the bound on open calls, it also bounds the refusals of a connection. */
const MOST_MS = 2_000;

export class RefusalPace {
  readonly #atOnce: number;
  readonly #intervalMs: number;
  readonly #address: RefusalPace | undefined;
  /** When the next refusal is due if the burst is used up, by the monotonic clock. */
  #due = Number.NEGATIVE_INFINITY;

  private constructor(atOnce: number, intervalMs: number, address?: RefusalPace) {
    this.#atOnce = atOnce;
    this.#intervalMs = intervalMs;
    this.#address = address;
  }

  /**
   * @param atOnce the refusals that are sent at once; further ones are sent every 20 ms
   * @param address the pace of its address, which also counts them
   */
  static ofConnection(atOnce: number, address?: RefusalPace): RefusalPace {
    return new RefusalPace(atOnce, INTERVAL_MS, address);
  }

  /** The pace that all connections of an address share: ten times that of one. */
  static ofAddress(atOnce: number): RefusalPace {
    return new RefusalPace(atOnce * ADDRESS_FACTOR, INTERVAL_MS / ADDRESS_FACTOR);
  }

  /** Whether all refusals of a burst may be sent at once again, as by a new pace. */
  isFull(now: number): boolean {
    return this.#due <= now - this.#atOnce * this.#intervalMs;
  }

  /** Counts a refusal. @returns how long to wait before it is sent, ms */
  delay(now: number): number {
    const earliest = now - this.#atOnce * this.#intervalMs;
    this.#due = Math.min(Math.max(this.#due, earliest) + this.#intervalMs, now + MOST_MS);
    return Math.max(0, this.#due - now, this.#address?.delay(now) ?? 0);
  }
}
