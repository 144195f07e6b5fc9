// A token bucket, which limits a rate but allows bursts up to its capacity.
import { type Clock, systemClock } from "../../time/clock.ts";

export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /**
   * Makes a bucket that is full at first.
   * @param perSecond tokens added each second
   * @param capacity the most tokens that it can contain; by default the tokens of two seconds
   */
  constructor(perSecond: number, capacity = 2 * perSecond, clock: Clock = systemClock) {
    this.#perSecond = perSecond;
    this.#capacity = capacity;
    this.#clock = clock;
    this.#tokens = this.#capacity;
    this.#filledAt = clock.monotonic();
  }

  /**
   * Takes tokens if the bucket contains enough. A count above the capacity needs a full bucket and leaves a debt.
   * @returns 0, or how many ms to wait before they can be taken
   */
  take(count: number): number {
    this.#fill();
    if (this.#tokens < Math.min(count, this.#capacity)) {
      return Math.ceil(((Math.min(count, this.#capacity) - this.#tokens) / this.#perSecond) * 1000);
    }
    this.#tokens -= count;
    return 0;
  }

  /** Takes tokens even if the bucket does not contain enough, which leaves a debt. */
  charge(count: number): void {
    this.#fill();
    this.#tokens -= count;
  }

  /** Puts back tokens that were taken. */
  put(count: number): void {
    this.#fill();
    this.#tokens = Math.min(this.#capacity, this.#tokens + count);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
