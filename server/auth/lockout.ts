// After the third wrong password in a row log-ins are locked for a while: the count, the lock, and whose they are.
import { limits } from "../limits.ts";
import type { LogInStore } from "../store/store.ts";
import { OverloadedError } from "./passwords.ts";

/**
 * strict: one count for a name, whoever tries. spare-known: a device that the user has logged in on has a count of its
 * own, so that strangers cannot lock the user out; OWASP calls that device cookies.
 */
export type LockRule = "strict" | "spare-known";

/** Whose failures are counted together. */
export type FailureKey = `name:${string}` | `device:${number}`;

export type Attempt =
  | { readonly status: "right" }
  | { readonly status: "wrong" }
  /** `tried`: this attempt was wrong, and brought the lock; otherwise nothing was looked at. */
  | { readonly status: "locked"; readonly tried: boolean; readonly leftMs: number };

interface Turn {
  tail: Promise<unknown>;
  waiting: number;
}

export class Lockout {
  readonly #store: LogInStore;
  readonly #lockMs: number;
  /** Attempts with one key take turns: many at once must not slip past the count. */
  readonly #turns = new Map<FailureKey, Turn>();

  constructor(store: LogInStore, lockMs: number) {
    this.#store = store;
    this.#lockMs = lockMs;
  }

  /**
   * Asks whether a password is right, and counts. What it answers is stored before it answers.
   * @throws OverloadedError where too many wait with the same key; and what `isRight` throws, which counts as nothing
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
    // The end of a lock is a new beginning.
    const count = (before === undefined || before.lockedUntil > 0 ? 0 : before.count) + 1;
    const now = Date.now();
    if (count < limits.failuresToLock) {
      await this.#store.saveFailures(key, { count, lockedUntil: 0 }, now);
      return { status: "wrong" };
    }
    await this.#store.saveFailures(key, { count, lockedUntil: now + this.#lockMs }, now);
    return { status: "locked", tried: true, leftMs: this.#lockMs };
  }

  /** A clock that was set back, or a shorter setting, makes no lock longer. */
  #leftOf(lockedUntil: number): number {
    return Math.min(lockedUntil - Date.now(), this.#lockMs);
  }

  #leave(key: FailureKey, turn: Turn): void {
    turn.waiting--;
    if (turn.waiting === 0) this.#turns.delete(key);
  }
}
