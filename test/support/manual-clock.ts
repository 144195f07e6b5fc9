// A clock that the test advances. Timers fire in the order of their times.
import type { Clock, Timer } from "../../time/clock.ts";

interface Pending {
  at: number;
  readonly everyMs: number | undefined;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;
  readonly #timers = new Set<Pending>();

  /** @param now the wall clock at the start, ms since 1970 */
  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#monotonic + ms, everyMs: undefined, action });
  }

  every(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#monotonic + ms, everyMs: ms, action });
  }

  /** Sets only the wall clock, as an administrator or NTP does. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  /** Advances both clocks by that many milliseconds, and fires each timer that becomes due at its own time. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#pass(next.at - this.#monotonic);
      if (next.everyMs === undefined) this.#timers.delete(next);
      else next.at += next.everyMs;
      next.action();
    }
    this.#pass(end - this.#monotonic);
  }

  #pass(ms: number): void {
    this.#monotonic += ms;
    this.#now += ms;
  }

  #add(pending: Pending): Timer {
    this.#timers.add(pending);
    return { [Symbol.dispose]: () => this.#timers.delete(pending) };
  }
}
