// Writes Protobuf fields into a buffer of known size: for the few messages that every send makes, where the general
// writer's growing costs more than all the rest. Held to the generated encoders by a test.

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

  /** @param value a safe integer, not negative */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
    this.#buffer[this.#at++] = rest;
    return this;
  }

  /** Tag and value; a field number up to 15. */
  number(field: number, value: number): this {
    this.#buffer[this.#at++] = field << 3;
    return this.varint(value);
  }

  /** Tag and length of what follows; a field number up to 15. */
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

  /** @throws Error if the size was not met */
  finish(): Buffer {
    if (this.#at !== this.#buffer.length) throw new Error("a piece has another size than was said");
    return this.#buffer;
  }
}
