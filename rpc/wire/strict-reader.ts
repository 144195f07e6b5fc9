// A reader for ts-proto's decoders that refuses malformed Protobuf that the plain reader accepts.
import { isUtf8 } from "node:buffer";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** ASCII strings up to this length are read byte by byte, which is faster than a call into native code. */
const SHORT_STRING = 24;

/** For a reader without a bound of its own: a page of entries and the events of a frame have fewer. */
const MOST_FIELDS = 256 * 1024;

/** The message has more fields than the reader allows. */
export class TooManyFieldsError extends Error {
  override name = "TooManyFieldsError";
}

/**
 * In addition to BinaryReader, it refuses broken UTF-8, field number 0, varints over 10 bytes, and a nested message whose
 * fields overrun its length or which ends before it (a stray end-group tag). It accepts a stray end-group tag as the last
 * byte of a message, which hides nothing.
 *
 * It bounds the number of fields, since a few bytes can become an object: each occurrence of a field counts, also in nested
 * messages and unknown fields, and each element of a packed field. It counts what it reads: up to two values for a field
 * (a tag, and a number or a length), and one for an element of a packed field. So it accepts every message that has no
 * more than the allowed fields, and refuses every message with more than twice as many.
 *
 * It finds the start of a nested message by `__tsProtoDecodeDepth`: the decoders that ts-proto generates keep their depth
 * in this property of the reader. They increase it directly after they read the length of the message, and decrease it
 * after the message.
 */
export class StrictReader extends BinaryReader {
  readonly #bytes: Buffer;
  /** The end positions of the open messages, with the innermost last. */
  readonly #ends: number[] = [];
  /** The last varint that was read: a tag when a field is skipped, a length when a message begins. */
  #last = 0;
  /** The first failure. When the decoders unwind, they would report a later failure that follows from it. */
  #failure: Error | undefined;
  readonly #mostFields: number;
  /** The values that may still be read. */
  #rest: number;

  /** @param mostFields the most fields of the message, at least 256 Ki by default */
  constructor(bytes: Buffer, mostFields: number = MOST_FIELDS) {
    super(bytes);
    this.#bytes = bytes;
    this.#mostFields = mostFields;
    this.#rest = 2 * mostFields;
    // BinaryReader defines uint32 as a property of each instance, so a method cannot override it.
    this.uint32 = this.#uint32;
  }

  override uint64(): bigint | string {
    this.#count();
    return super.uint64();
  }

  override int64(): bigint | string {
    this.#count();
    return super.int64();
  }

  override sint64(): bigint | string {
    this.#count();
    return super.sint64();
  }

  override bool(): boolean {
    this.#count();
    return super.bool();
  }

  override fixed32(): number {
    this.#count();
    return super.fixed32();
  }

  override sfixed32(): number {
    this.#count();
    return super.sfixed32();
  }

  override fixed64(): bigint | string {
    // BinaryReader reads two sfixed32, which are counted.
    this.#rest += 1;
    return super.fixed64();
  }

  override sfixed64(): bigint | string {
    this.#rest += 1;
    return super.sfixed64();
  }

  override float(): number {
    this.#count();
    return super.float();
  }

  override double(): number {
    this.#count();
    return super.double();
  }

  get __tsProtoDecodeDepth(): number {
    return this.#ends.length;
  }

  set __tsProtoDecodeDepth(depth: number) {
    if (depth > this.#ends.length) this.#enter();
    else this.#leave();
  }

  override skip(wireType: WireType, fieldNumber?: number, recursionLimit?: number): Uint8Array {
    if (fieldNumber === undefined && this.#last >>> 3 === 0) this.#fail("a field has number 0");
    if (wireType !== WireType.Varint) {
      // The end of a group has the field number of its start.
      return super.skip(wireType, fieldNumber ?? this.#last >>> 3, recursionLimit);
    }
    const start = this.pos;
    this.uint64();
    return this.#bytes.subarray(start, this.pos);
  }

  override string(): string {
    const length = this.#uint32();
    const start = this.pos;
    const end = start + length;
    if (end > this.len) this.#fail("a field is cut short");
    this.pos = end;
    const bytes = this.#bytes;
    if (length <= SHORT_STRING) {
      let text = "";
      let position = start;
      for (; position < end; position++) {
        const byte = bytes[position] ?? 0x80;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (position === end) return text;
    }
    if (!isUtf8(bytes.subarray(start, end))) this.#fail("a string is not valid UTF-8");
    return bytes.toString("utf8", start, end);
  }

  #count(): void {
    this.#rest -= 1;
    if (this.#rest >= 0) return;
    this.#failure ??= new TooManyFieldsError(
      `The message has more than ${this.#mostFields} fields and elements.`,
    );
    throw this.#failure;
  }

  #uint32(): number {
    this.#count();
    const bytes = this.#bytes;
    let value = 0;
    // A negative int32 has 10 bytes; only the low 32 bits are used.
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.pos++];
      if (byte === undefined) this.#fail("a field is cut short");
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#last = value >>> 0;
        return this.#last;
      }
    }
    return this.#fail("a varint is longer than 10 bytes");
  }

  #enter(): void {
    const parent = this.#ends.at(-1);
    const end = parent === undefined ? this.len : this.pos + this.#last;
    if (parent !== undefined && end > parent)
      this.#fail("a nested message is longer than the message around it");
    this.#ends.push(end);
  }

  #leave(): void {
    if (this.#ends.pop() === this.pos && this.#failure === undefined) return;
    if (this.#failure === undefined) this.#fail("a message does not end at its length");
    throw this.#failure;
  }

  #fail(message: string): never {
    this.#failure ??= new Error(message);
    throw this.#failure;
  }
}
