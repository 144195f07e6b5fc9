// A small file that only takes space. When the disk is full at a start, it gives the space that SQLite needs to open the
// data, so that the server can serve what is stored.
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** SQLite needs 32 KiB for its index, and some pages of log for the first commits. */
const RESERVE_BYTES = 1024 * 1024;
/** The reserve is made only while this much is free. */
const PLENTY_BYTES = 64 * RESERVE_BYTES;

/** Call it before the data is opened. @returns whether the disk is full, and the reserve was used */
export function useReserveIfFull(file: string): boolean {
  if (freeBytes(file) >= RESERVE_BYTES || statSync(file, { throwIfNoEntry: false }) === undefined)
    return false;
  rmSync(file);
  return true;
}

/** Makes the reserve if there is none and the disk has plenty of space. */
export function makeReserve(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === RESERVE_BYTES || freeBytes(file) < PLENTY_BYTES)
    return;
  const descriptor = openSync(file, "w", 0o600);
  try {
    // A file system may store zeros as a hole, which takes no space.
    const chunk = Buffer.alloc(64 * 1024, "reserved ");
    for (let bytes = 0; bytes < RESERVE_BYTES; bytes += chunk.length) writeSync(descriptor, chunk);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function freeBytes(file: string): number {
  const { bavail, bsize } = statfsSync(dirname(file));
  return bavail * bsize;
}
