// Checks SQLite's write-ahead log before SQLite recovers it. SQLite ignores everything from the first bad frame on, which
// is right for a commit that a crash cut off, and loses commits if the frame was damaged later.
// The format: https://sqlite.org/fileformat2.html#the_write_ahead_log
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { endianness } from "node:os";
import { DatabaseRefusedError } from "./refused.ts";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** The pages of the store's database, as SQLite makes them. */
const PAGE_BYTES = 4096;
/** The frames that are read at a time. */
const FRAMES_AT_A_TIME = 64;

/** The two running sums of the checksum. */
type Sums = readonly [number, number];

/**
 * @throws DatabaseRefusedError if commits come after a damaged frame. A commit that was cut off at the end of the log is
 * not damage: its frames may be there in any order, but no other commit comes after them.
 */
export function checkLog(database: string): void {
  const file = `${database}-wal`;
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= HEADER_BYTES) return;
  const descriptor = openSync(file, "r");
  try {
    const header = readAt(descriptor, 0, HEADER_BYTES);
    const isBigEndian = (header.readUInt32BE(0) & 1) === 1;
    const isHeaderWhole =
      (header.readUInt32BE(0) & ~1) >>> 0 === MAGIC &&
      isSame(checksum(header.subarray(0, 24), [0, 0], isBigEndian), header, 24);
    const pageBytes = isHeaderWhole ? header.readUInt32BE(8) : PAGE_BYTES;
    const damage = new DamageSearch(
      isHeaderWhole
        ? { salts: header.subarray(16, 24), isBigEndian, sums: sumsAt(header, 24) }
        : // SQLite writes in the order of the machine, and all frames after the first one continue the one before.
          { salts: readAt(descriptor, HEADER_BYTES + 8, 8), isBigEndian: endianness() === "BE" },
    );
    const frameBytes = FRAME_HEADER_BYTES + pageBytes;
    const frames = Math.floor((size - HEADER_BYTES) / frameBytes);
    for (let frame = 0; frame < frames; frame += FRAMES_AT_A_TIME) {
      const count = Math.min(FRAMES_AT_A_TIME, frames - frame);
      const bytes = readAt(descriptor, HEADER_BYTES + frame * frameBytes, count * frameBytes);
      for (let at = 0; at < bytes.length; at += frameBytes) {
        damage.take(bytes.subarray(at, at + frameBytes));
        if (damage.isFound) throw damaged(file, damage.place);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Takes the frames in order, and finds out whether a whole commit comes after a bad frame and its own commit. */
class DamageSearch {
  isFound = false;
  readonly #salts: Buffer;
  readonly #isBigEndian: boolean;
  #sums: Sums;
  #index = 0;
  #firstBad: number | undefined;
  /** Since the first bad frame: whether all frames after the last end of a commit are whole. */
  #isChained = false;
  #hasEnd = false;

  /** @param start without sums if the header is damaged */
  constructor(start: { salts: Buffer; isBigEndian: boolean; sums?: Sums }) {
    this.#salts = Buffer.from(start.salts);
    this.#isBigEndian = start.isBigEndian;
    this.#sums = start.sums ?? [0, 0];
    if (start.sums === undefined) this.#firstBad = -1;
  }

  get place(): string {
    return this.#firstBad === -1 ? "its header" : `frame ${(this.#firstBad ?? 0) + 1}`;
  }

  take(frame: Buffer): void {
    const index = this.#index++;
    const sums = checksum(
      frame.subarray(FRAME_HEADER_BYTES),
      checksum(frame.subarray(0, 8), this.#sums, this.#isBigEndian),
      this.#isBigEndian,
    );
    // The frames of an earlier use of the file have other salts.
    const isCurrent = frame.subarray(8, 16).equals(this.#salts);
    const isWhole = isCurrent && isSame(sums, frame, 16);
    // The next frame continues what this one says, so that frames after a damaged one can be told from torn ones.
    this.#sums = sumsAt(frame, 16);
    if (!isWhole) this.#firstBad ??= index;
    if (this.#firstBad === undefined) return;
    if (!isWhole) this.#isChained = false;
    if (!isCurrent) return;
    const endsCommit = frame.readUInt32BE(4) !== 0;
    if (!endsCommit) return;
    this.isFound = this.#hasEnd && this.#isChained;
    this.#hasEnd = true;
    this.#isChained = true;
  }
}

function damaged(file: string, place: string): DatabaseRefusedError {
  return new DatabaseRefusedError(
    `${file} is damaged at ${place}: it has commits after that, which would be lost`,
  );
}

function sumsAt(bytes: Buffer, at: number): Sums {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function isSame([a, b]: Sums, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;
}

/** SQLite's checksum: the words are little-endian, or big-endian if the header's magic number says so. */
function checksum(bytes: Buffer, [first, second]: Sums, bigEndian: boolean): Sums {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = first;
  let b = second;
  for (let at = 0; at < bytes.byteLength; at += 8) {
    a = (a + words.getUint32(at, !bigEndian) + b) >>> 0;
    b = (b + words.getUint32(at + 4, !bigEndian) + a) >>> 0;
  }
  return [a, b];
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, bytes, filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
