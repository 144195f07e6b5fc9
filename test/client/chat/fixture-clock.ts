// A clock for tests of the chat: it stands at START until a test advances it, and can wait for a timer to be set.

import type { Timer } from "../../../time/clock.ts";
import { ManualClock } from "../../support/manual-clock.ts";

export const START = new Date("2026-03-01T14:00:00");

export class FixtureClock extends ManualClock {
  #pending = 0;
  #awaited: (() => void) | undefined;

  constructor() {
    super(START.getTime());
  }

  override after(ms: number, action: () => void): Timer {
    let isPending = true;
    const settle = (): void => {
      if (isPending) this.#pending -= 1;
      isPending = false;
    };
    const timer = super.after(ms, () => {
      settle();
      action();
    });
    this.#pending += 1;
    this.#awaited?.();
    return {
      [Symbol.dispose]: () => {
        settle();
        timer[Symbol.dispose]();
      },
    };
  }

  /** Resolves when a timer is pending. */
  async timer(): Promise<void> {
    while (this.#pending === 0) {
      await new Promise<void>((resolve) => {
        this.#awaited = resolve;
      });
    }
  }
}
