// The lock on log-ins after three wrong passwords in a row. Each lock without a right password in between lasts twice as
// long as the one before, up to an hour. The store counts the failures, so that the lock holds on all nodes.
import { type Clock, systemClock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import { lockLeft } from "../store/lock-terms.ts";
import type { Attempt, LockTerms, LogInStore } from "../store/store.ts";
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

interface Turn {
  tail: Promise<unknown>;
  waiting: number;
}

export class Lockout {
  readonly #store: LogInStore;
  readonly #terms: LockTerms;
  readonly #clock: Clock;
  /** Attempts with one key run one after the other, so that a flood of them computes no hash once a lock is set. */
  readonly #turns = new Map<FailureKey, Turn>();

  /** @param lockMs how long the first lock lasts, or with the rule "strict" every lock */
  constructor(store: LogInStore, rule: LockRule, lockMs: number, clock: Clock = systemClock) {
    this.#store = store;
    this.#terms = {
      failures: limits.failuresToLock,
      firstMs: lockMs,
      longestMs: rule === "strict" ? lockMs : Math.max(lockMs, limits.longestLockMs),
      rememberedMs: limits.locksRememberedMs,
    };
    this.#clock = clock;
  }

  /**
   * Checks a password and counts the result. The result is stored before the promise resolves. Attempts on
   * several nodes at the same time have the outcomes that they would have one after the other.
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
    const leftMs = lockLeft(await this.#store.failures(key), this.#terms, this.#clock.now());
    if (leftMs > 0) return { status: "locked", tried: false, leftMs };
    // Another node may set the lock while this one checks the password, so only the store tells the outcome.
    return this.#store.settleAttempt(key, await isRight(), this.#terms, this.#clock.now());
  }

  #leave(key: FailureKey, turn: Turn): void {
    turn.waiting--;
    if (turn.waiting === 0) this.#turns.delete(key);
  }
}
