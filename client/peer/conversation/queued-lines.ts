// What is said before a private chat is open: held until it is, or given back.
import { bytesOfLine, NotSentError } from "./private-conversation.ts";

/** Lines held for one chat, and their bytes: all of them fit at once into a conversation that begins. */
const MOST_HELD = 100;
const MOST_HELD_BYTES = 128 * 1024;

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

  /** @throws NotSentError where it could never be said, or too much is held already */
  add(text: string): void {
    const bytes = this.#bytes + bytesOfLine(text);
    if (this.#texts.length >= MOST_HELD || bytes > MOST_HELD_BYTES) {
      throw new NotSentError(
        `The private chat with ${this.#username} is not open yet, and no more can be held until then.`,
      );
    }
    this.#texts.push(text);
    this.#bytes = bytes;
  }
}
