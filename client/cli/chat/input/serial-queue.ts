// Runs what the user enters, one task after the other: each starts when the one before it has ended.
import { isAnswer } from "../command/chat-command.ts";

export interface SerialQueueOptions {
  /** The first task starts after this. */
  readonly after: Promise<void>;
  /** How many tasks may wait; more are not accepted. */
  readonly most: number;
  /** A task was refused. The next one runs. */
  refused(error: Error): void;
  /** A task failed through a fault of this program. No other task runs after it. */
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

  /** @returns false if too many tasks are waiting; this one does not run then */
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
