// A clock that stands still until it is moved.
import type { Clock } from "../../../client/cli/chat/model/clock.ts";

export const START = new Date("2026-03-01T14:00:00");

export class FixtureClock implements Clock {
  #now = START.getTime();
  #timers: { at: number; run: () => void }[] = [];
  #awaited: (() => void) | undefined;

  now(): Date {
    return new Date(this.#now);
  }

  after(ms: number, run: () => void): Disposable {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    this.#awaited?.();
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Resolves when somebody waits for a time. */
  async timer(): Promise<void> {
    while (this.#timers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#awaited = resolve;
      });
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
  }
}
