// Runs what the user enters one after the other: each work starts when the one before it has ended.
import { isAnswer } from "../command/chat-command.ts";

export interface SerialQueueOptions {
  /** The first work starts after this. */
  readonly after: Promise<void>;
  /** How many may wait; more are not accepted. */
  readonly most: number;
  /** A work was refused. The next one runs. */
  refused(error: Error): void;
  /** A work failed through a fault of this program. No other work runs after it. */
  failed(error: unknown): void;
}

export class SerialQueue {
  readonly #options: SerialQueueOptions;
  #last: Promise<void>;
  #waiting = 0;

  constructor(options: SerialQueueOptions) {
    this.#options = options;
    this.#last = options.after;
  }

  /** @returns false if too many are waiting; the work does not run then */
  add(work: () => Promise<void>): boolean {
    const { most, failed } = this.#options;
    if (this.#waiting >= most) return false;
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#run(work));
    this.#last.catch(failed);
    return true;
  }

  async #run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isAnswer(error)) throw error;
      this.#options.refused(error);
    } finally {
      this.#waiting -= 1;
    }
  }
}
