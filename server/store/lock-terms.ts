// The arithmetic of the lock on log-ins, which every store runs inside the transaction that counts an attempt.

/** The consecutive failures for a key. */
export interface LogInFailures {
  /** The wrong passwords since the last right one or the last lock. */
  readonly count: number;
  /** The time until which log-ins are locked, or were locked last; 0 if they never were. */
  readonly lockedUntil: number;
  /** The locks in a row, without a right password in between. */
  readonly locks: number;
}

/** When failures lock log-ins, and for how long. */
export interface LockTerms {
  /** The number of wrong passwords in a row that locks. */
  readonly failures: number;
  /** How long the first lock lasts, ms. Each further one in a row lasts twice as long, up to `longestMs`. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** How long after its end a lock makes the next one longer, ms. */
  readonly rememberedMs: number;
}

export type Attempt =
  | { readonly status: "right" }
  | { readonly status: "wrong" }
  /**
   * `tried`: whether this attempt was wrong and set the lock. If false, it was locked already, and the attempt says
   * nothing about the password.
   */
  | { readonly status: "locked"; readonly tried: boolean; readonly leftMs: number };

/** How long the lock still lasts, ms: at most its length, even if the clock was set back or the setting was shortened. */
export function lockLeft(failures: LogInFailures | undefined, terms: LockTerms, now: number): number {
  if (failures === undefined) return 0;
  return Math.max(0, Math.min(failures.lockedUntil - now, lengthOf(failures.locks, terms)));
}

/** The outcome of an attempt with a right or a wrong password, and the failures after it; undefined if there are none. */
export function countAttempt(
  before: LogInFailures | undefined,
  isRight: boolean,
  terms: LockTerms,
  now: number,
): { readonly attempt: Attempt; readonly after: LogInFailures | undefined } {
  const leftMs = lockLeft(before, terms, now);
  if (leftMs > 0) return { attempt: { status: "locked", tried: false, leftMs }, after: before };
  if (isRight) return { attempt: { status: "right" }, after: undefined };
  const { count: counted, lockedUntil, locks } = remembered(before, terms, now);
  // The count restarts after a lock has ended.
  const count = (counted >= terms.failures ? 0 : counted) + 1;
  if (count < terms.failures) return { attempt: { status: "wrong" }, after: { count, lockedUntil, locks } };
  const lockMs = lengthOf(locks + 1, terms);
  return {
    attempt: { status: "locked", tried: true, leftMs: lockMs },
    after: { count, lockedUntil: now + lockMs, locks: locks + 1 },
  };
}

/** What still counts. A lock that ended long ago does not make the next one longer. */
function remembered(before: LogInFailures | undefined, terms: LockTerms, now: number): LogInFailures {
  if (before === undefined) return { count: 0, lockedUntil: 0, locks: 0 };
  const isOld = before.lockedUntil > 0 && now - before.lockedUntil > terms.rememberedMs;
  return isOld ? { ...before, locks: 0 } : before;
}

/** How long a lock lasts, by the number of locks in a row. */
function lengthOf(locks: number, { firstMs, longestMs }: LockTerms): number {
  return Math.min(firstMs * 2 ** Math.max(0, locks - 1), longestMs);
}
