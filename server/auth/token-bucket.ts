// How much one session may ask for: a bucket of tokens that fills at a steady rate.

export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt = performance.now();

  /** @param perSecond tokens a second; the bucket is full at first, and holds two seconds' worth unless said */
  constructor(perSecond: number, capacity = 2 * perSecond) {
    this.#perSecond = perSecond;
    this.#capacity = capacity;
    this.#tokens = this.#capacity;
  }

  /** Takes tokens if they are there. @returns 0, or how many ms to wait before they are */
  take(count: number): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < Math.min(count, this.#capacity)) {
      return Math.ceil(((Math.min(count, this.#capacity) - this.#tokens) / this.#perSecond) * 1000);
    }
    this.#tokens -= count;
    return 0;
  }
}
