// How often one user may ask another for a private chat: each question is rows on a screen, wherever the other one sits.
import type { Clock } from "../../time/clock.ts";
import { TokenBucket } from "../auth/token-bucket.ts";

const MINUTE_MS = 60_000;

interface Pair {
  readonly bucket: TokenBucket;
  askedAt: number;
}

export class AskingRate {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** By the two users, who asks first; in the order in which they asked last. */
  readonly #pairs = new Map<string, Pair>();

  /** @param perMinute so many at once, too, after a minute without any */
  constructor(perMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts a question, if it may be asked now. @returns 0, or how many ms to wait until it may */
  take(userId: number, otherId: number): number {
    const now = this.#clock.monotonic();
    this.#forgetFull(now);
    const key = `${userId}:${otherId}`;
    const pair = this.#pairs.get(key) ?? {
      bucket: new TokenBucket(this.#perMinute / 60, this.#perMinute),
      askedAt: now,
    };
    const wait = pair.bucket.take(1);
    if (wait > 0) return wait;
    pair.askedAt = now;
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    return 0;
  }

  /** A bucket that was left alone for a minute is full: as one that is made anew. */
  #forgetFull(now: number): void {
    for (const [key, { askedAt }] of this.#pairs) {
      if (now - askedAt < MINUTE_MS) break;
      this.#pairs.delete(key);
    }
  }
}
