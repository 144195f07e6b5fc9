// Reads keys from the terminal's input. A timer distinguishes the Escape key from the start of a sequence.
import type { Readable } from "node:stream";
import { type Key, KeyDecoder } from "./keys.ts";

/** Without another byte in this time, a single ESC is the Escape key, ms. */
const ESCAPE_MS = 100;
/** Without another byte in this time, the end of a paste counts as lost, ms. */
const PASTE_MS = 5_000;

export class KeyReader implements Disposable {
  readonly #decoder = new KeyDecoder();
  readonly #input: Readable;
  readonly #onKeys: (keys: readonly Key[]) => void;
  #timer: NodeJS.Timeout | undefined;

  /** Starts reading. Keys are delivered from a later tick on. */
  constructor(input: Readable, onKeys: (keys: readonly Key[]) => void) {
    this.#input = input;
    this.#onKeys = onKeys;
    input.on("data", this.#onData);
    input.resume();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#input.off("data", this.#onData);
    this.#input.pause();
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    clearTimeout(this.#timer);
    const keys = this.#decoder.push(typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk);
    const waiting = this.#decoder.waiting;
    // Set before the keys are delivered, because their handler may dispose of this reader.
    if (waiting !== "nothing")
      this.#timer = setTimeout(this.#giveUp, waiting === "paste" ? PASTE_MS : ESCAPE_MS);
    this.#onKeys(keys);
  };

  readonly #giveUp = (): void => this.#onKeys(this.#decoder.flush());
}
