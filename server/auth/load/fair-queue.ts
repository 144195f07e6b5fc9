// Shares few places among many who ask: callers that are known go first, and strangers take turns by their network, one
// at a time and with pauses.
import { type Clock, systemClock } from "../../../time/clock.ts";

/** Too much work is waiting, in all or for this caller. This work was not done; try again later. */
export class OverloadedError extends Error {
  override name = "OverloadedError";
}

/** Who asks. Those with the same key share one turn. */
export interface Asker {
  /** "known": a caller that has proved who it is. Strangers never delay it by more than one piece of work. */
  readonly lane: "known" | "stranger";
  readonly key: string;
}

export interface FairQueueOptions {
  /** The number of pieces of work at the same time, at least 1. Strangers have one of them. */
  readonly places: number;
  /** The pieces of work that may wait in one lane, and for one key. */
  readonly waiting: number;
  readonly waitingOfKey: number;
  readonly clock?: Clock | undefined;
}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
}

/** After so many pieces of work of known callers, a stranger who waits has a turn. */
const KNOWN_IN_A_ROW = 3;

export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #clock: Clock;
  readonly #known: Lane;
  readonly #strangers: Lane;
  #running = 0;
  #knownInARow = 0;
  #strangerRuns = false;
  /** Until then strangers pause, by the monotonic clock. */
  #pausedUntil = 0;
  #isTimerSet = false;

  constructor(options: FairQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#known = new Lane(options.waiting, options.waitingOfKey);
    this.#strangers = new Lane(options.waiting, options.waitingOfKey);
  }

  /**
   * Does the work when it is the caller's turn.
   * @throws OverloadedError if too much waits; any error of the work
   */
  async run<T>({ lane, key }: Asker, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start, refuse) => {
      this.#laneOf(lane).add(key, { start, refuse });
      this.#startNext();
    });
    const begin = this.#clock.monotonic();
    try {
      return await work();
    } finally {
      this.#running--;
      if (lane === "stranger") {
        const end = this.#clock.monotonic();
        this.#strangerRuns = false;
        // Half of one core is left to others, however many strangers ask.
        this.#pausedUntil = end + (end - begin);
      }
      this.#startNext();
    }
  }

  #laneOf(lane: Asker["lane"]): Lane {
    return lane === "known" ? this.#known : this.#strangers;
  }

  #startNext(): void {
    while (this.#running < this.#options.places) {
      const stranger = this.#canStrangerStart();
      if (this.#known.size > 0 && !(stranger && this.#knownInARow >= KNOWN_IN_A_ROW)) {
        this.#knownInARow++;
        this.#running++;
        this.#known.take()?.start();
      } else if (stranger) {
        this.#knownInARow = 0;
        this.#strangerRuns = true;
        this.#running++;
        this.#strangers.take()?.start();
      } else return;
    }
  }

  #canStrangerStart(): boolean {
    if (this.#strangers.size === 0 || this.#strangerRuns) return false;
    const pause = this.#pausedUntil - this.#clock.monotonic();
    if (pause <= 0) return true;
    if (!this.#isTimerSet) {
      this.#isTimerSet = true;
      this.#clock.after(Math.ceil(pause), () => {
        this.#isTimerSet = false;
        this.#startNext();
      });
    }
    return false;
  }
}

/** The work that waits in one lane. The keys take turns. */
class Lane {
  readonly #most: number;
  readonly #mostOfKey: number;
  /** In the order of the turns. */
  readonly #byKey = new Map<string, Waiting[]>();
  size = 0;

  constructor(most: number, mostOfKey: number) {
    this.#most = most;
    this.#mostOfKey = mostOfKey;
  }

  /** @throws OverloadedError */
  add(key: string, waiting: Waiting): void {
    const own = this.#byKey.get(key) ?? [];
    if (own.length >= this.#mostOfKey) throw tooMuch();
    if (this.size >= this.#most) this.#makeRoom(own.length);
    this.#byKey.set(key, own);
    own.push(waiting);
    this.size++;
  }

  take(): Waiting | undefined {
    const [first] = this.#byKey;
    if (first === undefined) return undefined;
    const [key, own] = first;
    const next = own.shift();
    this.#byKey.delete(key);
    if (own.length > 0) this.#byKey.set(key, own);
    this.size--;
    return next;
  }

  /** Refuses the last work of the key that has the most, unless the new one has as much. @throws OverloadedError */
  #makeRoom(ownCount: number): void {
    let longest: Waiting[] = [];
    for (const waiting of this.#byKey.values()) if (waiting.length > longest.length) longest = waiting;
    if (longest.length <= ownCount + 1) throw tooMuch();
    longest.pop()?.refuse(tooMuch());
    this.size--;
  }
}

function tooMuch(): OverloadedError {
  return new OverloadedError("too many passwords to check");
}
