// Logs the problems that the store reports: each once, and again at most once a minute with the number of repetitions.
import type { Clock } from "../time/clock.ts";
import type { Log } from "./log.ts";
import type { StoreProblem } from "./store/store.ts";

const AGAIN_AFTER_MS = 60_000;
/** The problems that are remembered. Beyond this number, all are forgotten, so that new ones are logged. */
const MOST_KNOWN = 1_000;

export class ProblemLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #known = new Map<string, { loggedAt: number; repeated: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  add({ kind, message }: StoreProblem): void {
    const now = this.#clock.now();
    const known = this.#known.get(message);
    if (known !== undefined && Math.abs(now - known.loggedAt) < AGAIN_AFTER_MS) {
      known.repeated += 1;
      return;
    }
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(message, { loggedAt: now, repeated: 0 });
    const event = kind === "damaged" ? "data damaged" : "file not written";
    this.#log.error({ event, ...(known && { repeated: known.repeated }) }, message);
  }
}
