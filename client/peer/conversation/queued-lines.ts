// Lines that are written before a private chat is open: sent when it opens, or returned to the user.
import { bytesOfLine, NotSentError } from "./line-rules.ts";

/** The limits for one chat. A conversation that opens can send all of these lines immediately. */
const MAX_LINES = 100;
const MAX_BYTES = 128 * 1024;

export class QueuedLines {
  readonly #username: string;
  readonly #texts: string[] = [];
  #bytes = 0;

  constructor(username: string) {
    this.#username = username;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Removes and returns the lines. */
  take(): string[] {
    this.#bytes = 0;
    return this.#texts.splice(0);
  }

  /** @throws NotSentError if the line is not valid, or too many lines are queued */
  add(text: string): void {
    const bytes = this.#bytes + bytesOfLine(text);
    if (this.#texts.length >= MAX_LINES || bytes > MAX_BYTES) {
      throw new NotSentError(
        `Too many lines to ${this.#username} wait already, and no more lines can be queued until they are sent.`,
      );
    }
    this.#texts.push(text);
    this.#bytes = bytes;
  }
}
