// Reads and writes fields of an encoded message as bytes, without decoding them, so that unknown fields are kept.
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * The bytes of an embedded message. Several occurrences are concatenated, which is how Protobuf merges them; the bytes
 * of a single one share memory with `message`. Undefined if there is none.
 * @throws Error if `message` is not well-formed
 */
export function rawField(message: Uint8Array, field: number): Uint8Array | undefined {
  const occurrences = repeatedField(message, field);
  return occurrences.length > 1 ? Buffer.concat(occurrences) : occurrences[0];
}

/**
 * All length-delimited occurrences of a field, in order. They share memory with `message`.
 * @throws Error if `message` is not well-formed
 */
export function repeatedField(message: Uint8Array, field: number): Uint8Array[] {
  const occurrences: Uint8Array[] = [];
  const wanted = ((field << 3) | WireType.LengthDelimited) >>> 0;
  let at = 0;
  while (at < message.length) {
    // A fast path for a tag and a length of one byte each, which most fields have.
    const tag = message[at] ?? 0;
    const length = message[at + 1] ?? 0x80;
    if ((tag & 7) === WireType.LengthDelimited && tag > 7 && tag < 0x80 && length < 0x80) {
      const end = at + 2 + length;
      if (end > message.length) throw new Error("a field is cut short");
      if (tag === wanted) occurrences.push(message.subarray(at + 2, end));
      at = end;
      continue;
    }
    const reader = new BinaryReader(message);
    reader.pos = at;
    const [fieldNumber, wireType] = reader.tag();
    if (fieldNumber === field && wireType === WireType.LengthDelimited) occurrences.push(reader.bytes());
    else reader.skip(wireType, fieldNumber);
    at = reader.pos;
  }
  return occurrences;
}

/** Encodes a length-delimited field: tag, length, bytes. */
export function lengthDelimited(field: number, bytes: Uint8Array): Uint8Array {
  const tag = ((field << 3) | WireType.LengthDelimited) >>> 0;
  const encoded = Buffer.allocUnsafe(varintSize(tag) + varintSize(bytes.length) + bytes.length);
  let position = writeVarint(encoded, 0, tag);
  position = writeVarint(encoded, position, bytes.length);
  encoded.set(bytes, position);
  return encoded;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

function writeVarint(buffer: Buffer, start: number, value: number): number {
  let position = start;
  let rest = value;
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[position++] = rest;
  return position;
}
