// The lock on log-ins after three wrong passwords in a row: counts the failures, and sets and checks the lock. Each lock
// without a right password in between lasts twice as long as the one before, up to an hour.
import { type Clock, systemClock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import type { LogInFailures, LogInStore } from "../store/store.ts";
import { OverloadedError } from "./load/fair-queue.ts";

/**
 * "strict": one count for each name. "spare-known": a device on which the user has logged in before has its own count,
 * so that a stranger cannot lock the user out there. OWASP calls these device cookies.
 */
export type LockRule = "strict" | "spare-known";

/**
 * Failures with the same key are counted together. The key of a name without a user has the hash of the name, because
 * people type passwords as names by mistake.
 */
export type FailureKey = `name:${string}` | `unknown:${string}` | `device:${number}`;

export type Attempt =
  | { readonly status: "right" }
  | { readonly status: "wrong" }
  /**
   * `tried`: whether this attempt was wrong and set the lock. If false, it was locked already, and the password was not
   * checked.
   */
  | { readonly status: "locked"; readonly tried: boolean; readonly leftMs: number };

interface Turn {
  tail: Promise<unknown>;
  waiting: number;
}

export class Lockout {
  readonly #store: LogInStore;
  readonly #lockMs: number;
  readonly #doubles: boolean;
  readonly #clock: Clock;
  /** Attempts with one key run one after the other, so that concurrent attempts are all counted. */
  readonly #turns = new Map<FailureKey, Turn>();

  /** @param lockMs how long the first lock lasts, or with the rule "strict" every lock */
  constructor(store: LogInStore, rule: LockRule, lockMs: number, clock: Clock = systemClock) {
    this.#store = store;
    this.#lockMs = lockMs;
    this.#doubles = rule !== "strict";
    this.#clock = clock;
  }

  /**
   * Checks a password and counts the result. The result is stored before the promise resolves.
   * @throws OverloadedError if too many attempts with the same key wait; any error of `isRight`, which is not counted
   */
  attempt(key: FailureKey, isRight: () => Promise<boolean>): Promise<Attempt> {
    const turn = this.#turns.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
    if (turn.waiting >= limits.attemptsPerName) {
      return Promise.reject(new OverloadedError("too many log-ins with the same name"));
    }
    this.#turns.set(key, turn);
    turn.waiting++;
    const attempt = turn.tail.then(() => this.#attempt(key, isRight));
    turn.tail = attempt.then(
      () => this.#leave(key, turn),
      () => this.#leave(key, turn),
    );
    return attempt;
  }

  async #attempt(key: FailureKey, isRight: () => Promise<boolean>): Promise<Attempt> {
    const before = await this.#store.failures(key);
    const leftMs = before === undefined ? 0 : this.#leftOf(before);
    if (leftMs > 0) return { status: "locked", tried: false, leftMs };
    if (await isRight()) {
      if (before !== undefined) await this.#store.clearFailures(key);
      return { status: "right" };
    }
    const now = this.#clock.now();
    const { count: counted, lockedUntil, locks } = this.#remembered(before, now);
    // The count restarts after a lock has ended.
    const count = (counted >= limits.failuresToLock ? 0 : counted) + 1;
    if (count < limits.failuresToLock) {
      await this.#store.saveFailures(key, { count, lockedUntil, locks }, now);
      return { status: "wrong" };
    }
    const lockMs = this.#lengthOf(locks + 1);
    await this.#store.saveFailures(key, { count, lockedUntil: now + lockMs, locks: locks + 1 }, now);
    return { status: "locked", tried: true, leftMs: lockMs };
  }

  /** What still counts. A lock that ended long ago does not make the next one longer. */
  #remembered(before: LogInFailures | undefined, now: number): LogInFailures {
    if (before === undefined) return { count: 0, lockedUntil: 0, locks: 0 };
    const isOld = before.lockedUntil > 0 && now - before.lockedUntil > limits.locksRememberedMs;
    return isOld ? { ...before, locks: 0 } : before;
  }

  /** How long a lock lasts, by the number of locks in a row. */
  #lengthOf(locks: number): number {
    if (!this.#doubles) return this.#lockMs;
    const longest = Math.max(this.#lockMs, limits.longestLockMs);
    return Math.min(this.#lockMs * 2 ** Math.max(0, locks - 1), longest);
  }

  /** How long the lock still lasts: at most its length, even if the clock was set back or the setting was shortened. */
  #leftOf({ lockedUntil, locks }: LogInFailures): number {
    return Math.min(lockedUntil - this.#clock.now(), this.#lengthOf(locks));
  }

  #leave(key: FailureKey, turn: Turn): void {
    turn.waiting--;
    if (turn.waiting === 0) this.#turns.delete(key);
  }
}
