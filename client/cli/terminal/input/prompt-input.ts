// Lends the terminal's input to a library that asks questions, and returns every byte that no question used.
import { Readable } from "node:stream";

export interface PromptSource extends Readable {
  readonly isRaw?: boolean;
  setRawMode?(on: boolean): unknown;
}

/** The most bytes of typed-ahead input that are held; then the input is paused. */
const HOLD_LIMIT = 64 * 1024;
/**
 * How long to wait for a question to pause the stream, ms. A question that accepts its answer does so immediately; any
 * other asks again.
 */
const ANSWER_MS = 250;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Replaces standard input. A prompt library reads all available input and drops the bytes after the Enter that answers
 * its question. From this stream it gets the bytes up to an Enter, and the rest with the next question. `release` puts
 * the remaining bytes back in front of the real input, for the screen to read.
 */
export class PromptInput extends Readable implements Disposable {
  readonly isTTY = true;
  readonly #input: PromptSource;
  #held = Buffer.alloc(0);
  #ended = false;
  /** An Enter was passed on less than ANSWER_MS ago, and the question has not paused the stream yet. */
  #answering = false;
  #timer: NodeJS.Timeout | undefined;
  #released = false;

  constructor(input: PromptSource) {
    super();
    this.#input = input;
    input.on("data", this.#onData);
    input.on("end", this.#onEnd);
    this.on("pause", () => {
      clearTimeout(this.#timer);
      this.#answering = false;
    });
    this.on("resume", () => this.#feed());
  }

  get isRaw(): boolean {
    return this.#input.isRaw === true;
  }

  setRawMode(on: boolean): this {
    this.#input.setRawMode?.(on);
    return this;
  }

  /** Pauses the real input and puts the unused bytes back in front of it. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    clearTimeout(this.#timer);
    this.#input.off("data", this.#onData);
    this.#input.off("end", this.#onEnd);
    this.#input.pause();
    const unread: unknown = this.read();
    const rest = Buffer.concat([unread instanceof Uint8Array ? unread : Buffer.alloc(0), this.#held]);
    if (rest.length > 0 && !this.#input.readableEnded) this.#input.unshift(rest);
    this.destroy();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  override _read(): void {
    if (this.#held.length < HOLD_LIMIT && !this.#released) this.#input.resume();
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    this.#held = Buffer.concat([this.#held, typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk]);
    if (this.#held.length >= HOLD_LIMIT) this.#input.pause();
    this.#feed();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#feed();
  };

  #feed(): void {
    // Nothing is pushed without a reader: the stream's buffer would pass several lines to the next question.
    if (this.#released || this.#answering || this.readableFlowing !== true) return;
    const enter = this.#held.findIndex((byte) => byte === CR || byte === LF);
    const length = enter < 0 ? this.#held.length : enter + 1;
    if (length > 0) {
      const bytes = this.#held.subarray(0, length);
      this.#held = this.#held.subarray(length);
      this.#answering = enter >= 0;
      if (this.#answering) this.#timer = setTimeout(this.#goOn, ANSWER_MS);
      this.push(bytes);
    }
    if (this.#ended && this.#held.length === 0) this.push(null);
  }

  readonly #goOn = (): void => {
    this.#answering = false;
    this.#feed();
  };
}
