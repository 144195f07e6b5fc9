// Who took back a question by relay and asks for a direct path a moment later: a yes that was being typed for the first one
// must not show an address to that one.
import type { Clock } from "../model/clock.ts";

/** As long as somebody may take from reading a question to the Enter of its answer, ms. */
const TYPING_MS = 10_000;

interface Asked {
  readonly direct: boolean;
  readonly time: number;
  readonly isSwapped: boolean;
}

export class ChangedRequests {
  readonly #clock: Clock;
  /** The last question of each. */
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody asks. */
  asked(username: string, direct: boolean): void {
    const before = this.#asked.get(username);
    const isSwapped = direct && this.#isFresh(before) && (before.isSwapped || !before.direct);
    // There are few at any time, and none is worth keeping.
    for (const [name, question] of this.#asked) if (!this.#isFresh(question)) this.#asked.delete(name);
    this.#asked.set(username, { direct, time: this.#clock.now().getTime(), isSwapped });
  }

  /** Whether the question of that one was another a moment ago. */
  isSwapped(username: string): boolean {
    const question = this.#asked.get(username);
    return this.#isFresh(question) && question.isSwapped;
  }

  #isFresh(question: Asked | undefined): question is Asked {
    return question !== undefined && this.#clock.now().getTime() - question.time < TYPING_MS;
  }
}
