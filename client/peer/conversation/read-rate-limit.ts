// Limits the rate at which a peer's signals are read; reading pauses at the limit, so the flow-control window of the
// peer fills.
import { delay } from "../../../time/wait.ts";

export class ReadRateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt = performance.now();

  /** @param perSecond signals per second; a burst may have twice as many */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = 2 * perSecond;
  }

  /** Takes tokens for signals that were read. Resolves when the next ones may be read. */
  async take(count: number): Promise<void> {
    const now = performance.now();
    const filled = this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(2 * this.#perSecond, filled) - count;
    this.#filledAt = now;
    const missingMs = (-this.#tokens / this.#perSecond) * 1000;
    if (missingMs > 0) await delay(missingMs);
  }
}
