// Limits how often one user may ask another for a private chat, since each question takes rows on the other's screen.
import type { Clock } from "../../time/clock.ts";
import { TokenBucket } from "../auth/token-bucket.ts";

const MINUTE_MS = 60_000;

interface Pair {
  readonly bucket: TokenBucket;
  /** By the monotonic clock, ms. */
  askedAt: number;
}

export class AskingRate {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** By the user who asks and the user who is asked; in the order of the last question. */
  readonly #pairs = new Map<string, Pair>();

  /** @param perMinute also the size of a burst after a minute without a question */
  constructor(perMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts a question if it is allowed now. @returns 0, or in how many ms it will be allowed */
  take(callerId: number, calleeId: number): number {
    const now = this.#clock.monotonic();
    this.#forgetFull(now);
    const key = `${callerId}:${calleeId}`;
    const pair = this.#pairs.get(key) ?? {
      bucket: new TokenBucket(this.#perMinute / 60, this.#perMinute, this.#clock),
      askedAt: now,
    };
    const wait = pair.bucket.take(1);
    if (wait > 0) return wait;
    pair.askedAt = now;
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    return 0;
  }

  /** After a minute without a question a bucket is full, and equal to a new one. */
  #forgetFull(now: number): void {
    for (const [key, { askedAt }] of this.#pairs) {
      if (now - askedAt < MINUTE_MS) break;
      this.#pairs.delete(key);
    }
  }
}
