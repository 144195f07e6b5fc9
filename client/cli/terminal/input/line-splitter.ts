// Splits a stream of bytes into lines of text of a bounded length.

/** The most bytes of a line: 1 MiB. A longer line is refused, and its bytes are not kept. */
export const LINE_LIMIT = 1 << 20;

export type LineRead =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: "too-long" | "not-utf8" }
  | { readonly kind: "end" };

const LF = 0x0a;
const CR = 0x0d;

export class LineSplitter {
  /** Bytes that were pushed and not yet read. */
  #chunks: Uint8Array[] = [];
  /** The line that is being collected. */
  #line: Uint8Array[] = [];
  #length = 0;
  #tooLong = false;

  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes);
  }

  /**
   * Removes and returns the bytes that were not read as lines, for a reader with other rules. That reader pushes back
   * the bytes that it does not use.
   */
  takeBytes(): Uint8Array {
    const bytes = Buffer.concat([...this.#line, ...this.#chunks]);
    this.#chunks = [];
    this.#line = [];
    this.#length = 0;
    return bytes;
  }

  /** The next complete line without its "\n" or "\r\n"; undefined if more bytes are needed. */
  next(): LineRead | undefined {
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      const end = chunk.indexOf(LF);
      this.#collect(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) continue;
      if (end + 1 < chunk.length) this.#chunks.unshift(chunk.subarray(end + 1));
      return this.#finish();
    }
    return undefined;
  }

  /** At the end of the input: a last line without a newline, if there is one, and then the end. */
  last(): LineRead {
    return this.#length === 0 && !this.#tooLong ? { kind: "end" } : this.#finish();
  }

  #collect(bytes: Uint8Array): void {
    this.#length += bytes.length;
    // The "\r" at the end of a line does not count.
    if (this.#length > LINE_LIMIT + 1) {
      this.#tooLong = true;
      this.#line = [];
    } else if (bytes.length > 0) this.#line.push(bytes);
  }

  #finish(): LineRead {
    const whole = Buffer.concat(this.#line);
    const bytes = whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    const tooLong = this.#tooLong || bytes.length > LINE_LIMIT;
    this.#line = [];
    this.#length = 0;
    this.#tooLong = false;
    if (tooLong) return { kind: "refused", problem: "too-long" };
    try {
      return { kind: "line", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
    } catch (error) {
      if (error instanceof TypeError) return { kind: "refused", problem: "not-utf8" };
      throw error;
    }
  }
}
