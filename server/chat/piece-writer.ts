// Writes Protobuf fields into a buffer whose size is known beforehand.
//
// It encodes the two messages that every send produces; all other messages use the generated encoders. Measured with a
// million of each, an Ack takes 0.3 µs instead of 1.1 µs with the library's BinaryWriter, which collects its output in
// growing arrays, and an EntryAppended takes 0.4 µs instead of 2.0 µs. test/server/chat/encoding.test.ts checks that
// both ways produce the same bytes.

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** The size of a length-delimited field with a tag of one byte. */
export function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

export class PieceWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  /** @param value a safe integer, 0 or more */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
    this.#buffer[this.#at++] = rest;
    return this;
  }

  /** Writes the tag and a varint. The field number is at most 15. */
  number(field: number, value: number): this {
    this.#buffer[this.#at++] = field << 3;
    return this.varint(value);
  }

  /** Writes the tag and the length of the bytes that the caller writes next. The field number is at most 15. */
  open(field: number, length: number): this {
    this.#buffer[this.#at++] = (field << 3) | 2;
    return this.varint(length);
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.open(field, bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  ascii(field: number, text: string): this {
    this.open(field, text.length);
    for (let index = 0; index < text.length; index++) this.#buffer[this.#at++] = text.charCodeAt(index);
    return this;
  }

  /** @throws Error if the buffer is not exactly full */
  finish(): Buffer {
    if (this.#at !== this.#buffer.length)
      throw new Error("a piece does not have the size that was calculated");
    return this.#buffer;
  }
}
