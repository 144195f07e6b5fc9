// Cuts bytes, however they come in chunks, into lines of text within bounds.

/** Bytes of one line: 1 MiB. A longer one is refused and its bytes are not kept. */
export const LINE_LIMIT = 1 << 20;

export type LineRead =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: "too-long" | "not-utf8" }
  | { readonly kind: "end" };

const LF = 0x0a;
const CR = 0x0d;

export class LineSplitter {
  /** Bytes that were given and not yet read as a line. */
  #chunks: Uint8Array[] = [];
  /** The line that is being collected. */
  #line: Uint8Array[] = [];
  #length = 0;
  #tooLong = false;

  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes);
  }

  /** The bytes that were not read as lines, for a reader with other rules; what it leaves it pushes back. */
  takeBytes(): Uint8Array {
    const bytes = Buffer.concat([...this.#line, ...this.#chunks]);
    this.#chunks = [];
    this.#line = [];
    this.#length = 0;
    return bytes;
  }

  /** The next whole line without its "\n" or "\r\n"; undefined if more bytes are needed. */
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

  /** After the last byte: the line without a newline that is left, then the end. */
  last(): LineRead {
    return this.#length === 0 && !this.#tooLong ? { kind: "end" } : this.#finish();
  }

  #collect(bytes: Uint8Array): void {
    this.#length += bytes.length;
    // One more for the "\r" that may end the line.
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
