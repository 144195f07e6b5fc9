// The clock that the server's rules use. It is passed in, so that a test can set the time.

/** A timer that has been set. Disposing of it stops it, unless it has already fired. */
export interface Timer extends Disposable {}

export interface Clock {
  /** The wall clock: milliseconds since 1970, as Date.now() gives them. It can be set back. */
  now(): number;
  /** The monotonic clock: milliseconds since some fixed moment, as performance.now() gives them. It never goes back. */
  monotonic(): number;
  /**
   * Calls `action` once, after at least `ms` milliseconds (0 to 2^31 - 1). The timer does not keep the process alive.
   */
  after(ms: number, action: () => void): Timer;
  /** Calls `action` every `ms` milliseconds (1 to 2^31 - 1). The timer does not keep the process alive. */
  every(ms: number, action: () => void): Timer;
}

/** The longest time that a timer of Node.js can run, in milliseconds: 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(ms, action) {
    const timer = setInterval(action, ms).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
