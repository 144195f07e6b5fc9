// A reader for ts-proto's decoders that accepts exactly well-formed Protobuf, where the plain one is lax.
import { isUtf8 } from "node:buffer";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Strings up to this length are read byte by byte if they are ASCII: a call into native code costs more. */
const SHORT_STRING = 24;

/**
 * Beyond BinaryReader it refuses: broken UTF-8; field number 0; a nested message whose fields overrun its length, or
 * which ends before it (a stray end-group tag); varints over 10 bytes. A stray tag as the last byte of a message is let
 * pass: nothing is hidden by it.
 *
 * It knows where a nested message begins because ts-proto's generated decoders keep their depth on the reader, in
 * `__tsProtoDecodeDepth`: set on the way in, right after the message's length was read, and set back on the way out.
 */
export class StrictReader extends BinaryReader {
  readonly #bytes: Buffer;
  /** Ends of the open messages, innermost last; positions in the buffer. */
  readonly #ends: number[] = [];
  /** The varint read last: a tag when a field is skipped, a length when a message begins. */
  #last = 0;
  /** Kept, so that a decoder's way out does not cover it with the misplaced end that follows from it. */
  #failure: Error | undefined;

  constructor(bytes: Buffer) {
    super(bytes);
    this.#bytes = bytes;
    // BinaryReader sets its own as a property of the instance.
    this.uint32 = this.#uint32;
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
      // Groups end with the number that they began with.
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

  #uint32(): number {
    const bytes = this.#bytes;
    let value = 0;
    // A negative int32 takes 10 bytes, of which the low 32 bits count.
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
    if (parent !== undefined && end > parent) this.#fail("a nested message is longer than what holds it");
    this.#ends.push(end);
  }

  #leave(): void {
    if (this.#ends.pop() === this.pos && this.#failure === undefined) return;
    if (this.#failure === undefined) this.#fail("a message does not end where its length says");
    throw this.#failure;
  }

  #fail(message: string): never {
    this.#failure ??= new Error(message);
    throw this.#failure;
  }
}
