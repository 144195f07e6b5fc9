// Limits how many refused attempts one network or one device may make. An attempt beyond the rate is answered late, so
// that a caller who repeats it at once takes little of the server.
import { LRUCache } from "lru-cache";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";
import { TokenBucket } from "../token-bucket.ts";

export class RefusalRate {
  readonly #clock: Clock;
  /** A key that is pushed out has its full burst again, which is no more than a new network has. */
  readonly #buckets = new LRUCache<string, TokenBucket>({
    maxSize: limits.cachedNetworks,
    sizeCalculation: () => 1,
  });
  /** The answers that are held, by key. */
  readonly #held = new Map<string, number>();
  #heldInAll = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Counts an attempt, as if it were refused. Call `giveBack` if it is not.
   * @throws Refusal RATE_LIMITED, after a delay
   */
  async admit(key: string): Promise<void> {
    const wait = this.#bucketOf(key).take(1);
    if (wait === 0) return;
    await this.hold(key);
    throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: wait });
  }

  giveBack(key: string): void {
    this.#bucketOf(key).put(1);
  }

  /** Waits before an answer that cost nothing, unless too many answers are held. */
  async hold(key: string): Promise<void> {
    const held = this.#held.get(key) ?? 0;
    if (held >= limits.heldRefusalsOfNetwork || this.#heldInAll >= limits.heldRefusals) return;
    this.#held.set(key, held + 1);
    this.#heldInAll++;
    await new Promise<void>((resolve) => this.#clock.after(limits.heldRefusalMs, resolve));
    this.#heldInAll--;
    const left = (this.#held.get(key) ?? 1) - 1;
    if (left > 0) this.#held.set(key, left);
    else this.#held.delete(key);
  }

  #bucketOf(key: string): TokenBucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(limits.refusalsPerSecond, limits.refusalsBurst, this.#clock);
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }
}
