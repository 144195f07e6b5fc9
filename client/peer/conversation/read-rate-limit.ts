// How fast a peer is listened to: not reading is the brake, and the peer's own window fills.
import { setTimeout as sleep } from "node:timers/promises";

export class ReadRateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt = performance.now();

  /** @param perSecond what may come a second; two seconds' worth may come at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = 2 * perSecond;
  }

  /** Resolves when so many may have come. */
  async take(count: number): Promise<void> {
    const now = performance.now();
    const filled = this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(2 * this.#perSecond, filled) - count;
    this.#filledAt = now;
    // What is owed is slept off: a burst is let in, and a steady flood is not.
    const missing = -this.#tokens / this.#perSecond;
    if (missing > 0) await sleep(missing * 1000);
  }
}
