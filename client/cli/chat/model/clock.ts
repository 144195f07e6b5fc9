// The time as the chat sees it, so that tests can play it.

export interface Clock {
  now(): Date;
  /** Calls once after so many milliseconds, unless disposed of before. */
  after(ms: number, run: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => new Date(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
