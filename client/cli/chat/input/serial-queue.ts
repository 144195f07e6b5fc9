// One thing after the other: what a person enters waits for what was entered before it.
import { isAnswer } from "../command/chat-command.ts";

export interface SerialQueueOptions {
  /** The first turn comes after this. */
  readonly after: Promise<void>;
  /** How many may wait; what comes on top is not taken. */
  readonly most: number;
  /** What was asked for cannot be done, or not now: a person is told, and goes on. */
  refused(error: Error): void;
  /** A fault of this program. No turn comes after it. */
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

  /** @returns false where too much is waiting, and this was not taken */
  take(work: () => Promise<void>): boolean {
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
