// Lets bytes pass at a rate, after a burst.
import type { Clock } from "../../time/clock.ts";

export class Pace {
  readonly #bytesPerMs: number;
  readonly #burstMs: number;
  readonly #clock: Clock;
  /** When all bytes that were taken would have passed at the rate, ms of the monotonic clock. */
  #paidAt = 0;

  constructor(bytesPerSecond: number, burstBytes: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#burstMs = burstBytes / this.#bytesPerMs;
    this.#clock = clock;
    this.#paidAt = clock.monotonic();
  }

  /** Takes bytes. @returns how long to wait before they may be used, ms */
  take(bytes: number): number {
    const now = this.#clock.monotonic();
    const wait = Math.max(0, this.#paidAt - now - this.#burstMs);
    this.#paidAt = Math.max(this.#paidAt, now) + bytes / this.#bytesPerMs;
    return wait;
  }
}
