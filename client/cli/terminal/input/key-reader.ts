// Reads keys from the terminal's input, with the clock that tells the Escape key from the start of a sequence.
import type { Readable } from "node:stream";
import { type Key, KeyDecoder } from "./keys.ts";

/** After so long without a byte, a lone ESC was the Escape key. */
const ESCAPE_MS = 100;
/** After so long without a byte, a paste has lost its end. */
const PASTE_MS = 5_000;

export class KeyReader implements Disposable {
  readonly #decoder = new KeyDecoder();
  readonly #input: Readable;
  readonly #onKeys: (keys: readonly Key[]) => void;
  #timer: NodeJS.Timeout | undefined;

  /** Reads from now on; the input's bytes are handed out from a later tick. */
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
    // Armed before the keys are dealt with: whoever gets them may end this reader.
    if (waiting !== "nothing")
      this.#timer = setTimeout(this.#giveUp, waiting === "paste" ? PASTE_MS : ESCAPE_MS);
    this.#onKeys(keys);
  };

  readonly #giveUp = (): void => this.#onKeys(this.#decoder.flush());
}
