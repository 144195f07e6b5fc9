// The lock on log-ins after three wrong passwords in a row: counts the failures, and sets and checks the lock.
import { type Clock, systemClock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import type { LogInStore } from "../store/store.ts";
import { OverloadedError } from "./load/fair-queue.ts";

/**
 * "strict": one count for each name. "spare-known": a device on which the user has logged in before has its own count,
 * so that a stranger cannot lock the user out there. OWASP calls these device cookies.
 */
export type LockRule = "strict" | "spare-known";

/** Failures with the same key are counted together. */
export type FailureKey = `name:${string}` | `device:${number}`;

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
  readonly #clock: Clock;
  /** Attempts with one key run one after the other, so that concurrent attempts are all counted. */
  readonly #turns = new Map<FailureKey, Turn>();

  constructor(store: LogInStore, lockMs: number, clock: Clock = systemClock) {
    this.#store = store;
    this.#lockMs = lockMs;
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
    const leftMs = this.#leftOf(before?.lockedUntil ?? 0);
    if (leftMs > 0) return { status: "locked", tried: false, leftMs };
    if (await isRight()) {
      if (before !== undefined) await this.#store.clearFailures(key);
      return { status: "right" };
    }
    // The count restarts after a lock has ended.
    const count = (before === undefined || before.lockedUntil > 0 ? 0 : before.count) + 1;
    const now = this.#clock.now();
    if (count < limits.failuresToLock) {
      await this.#store.saveFailures(key, { count, lockedUntil: 0, locks: 0 }, now);
      return { status: "wrong" };
    }
    await this.#store.saveFailures(key, { count, lockedUntil: now + this.#lockMs, locks: 1 }, now);
    return { status: "locked", tried: true, leftMs: this.#lockMs };
  }

  /**
   * How long the lock still lasts: at most the configured time, even if the clock was set back or the setting was
   * shortened.
   */
  #leftOf(lockedUntil: number): number {
    return Math.min(lockedUntil - this.#clock.now(), this.#lockMs);
  }

  #leave(key: FailureKey, turn: Turn): void {
    turn.waiting--;
    if (turn.waiting === 0) this.#turns.delete(key);
  }
}
