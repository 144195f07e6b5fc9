// Limits how often one user may ask another for a private chat, since each question takes up lines on the other's
// screen.
import type { Clock } from "../../time/clock.ts";
import { TokenBucket } from "../auth/token-bucket.ts";

const MINUTE_MS = 60_000;

interface Pair {
  readonly bucket: TokenBucket;
  /** When the last question was asked, by the monotonic clock, ms. */
  askedAt: number;
}

export class AskingRate {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** By the user who asks and the user who is asked, in the order of their last questions. */
  readonly #pairs = new Map<string, Pair>();

  /** @param perMinute how many questions are allowed each minute, or at once after a minute without a question */
  constructor(perMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts a question if it is allowed now. @returns 0 if it is, or else after how many ms it will be allowed */
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

  /** Forgets the pairs without a question for a minute. Their buckets are full, like new ones. */
  #forgetFull(now: number): void {
    for (const [key, { askedAt }] of this.#pairs) {
      if (now - askedAt < MINUTE_MS) break;
      this.#pairs.delete(key);
    }
  }
}
