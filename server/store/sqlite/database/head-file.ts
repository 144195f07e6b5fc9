// The head file beside the database: the server id and the number of a commit. The database must have at least that commit, so data that is older or belongs to another server is found at start.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { DatabaseRefusedError } from "./refused.ts";

export interface Head {
  readonly serverId: string;
  /** The number of a commit that was reported. */
  readonly group: number;
}

export function headFileOf(database: string): string {
  return `${database}-head`;
}

/**
 * The file has two records, which are written in turn, in different sectors. A write that a power cut tears leaves the
 * other one. A record: the mark, the server id in ASCII (32 bytes), the group (8), and the CRC-32 of all that (4).
 */
const MARK = Buffer.from("parlhead", "ascii");
const ID_BYTES = 32;
const GROUP_AT = MARK.length + ID_BYTES;
const CRC_AT = GROUP_AT + 8;
const RECORD_BYTES = CRC_AT + 4;
const SECTOR_BYTES = 4096;

/** The newer of the file's records; undefined if there is no file. @throws DatabaseRefusedError if no record is whole */
export function readHead(database: string): Head | undefined {
  const file = headFileOf(database);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const heads = [0, SECTOR_BYTES].flatMap((at) => parseRecord(bytes.subarray(at, at + RECORD_BYTES)) ?? []);
  const newest = heads.toSorted((a, b) => b.group - a.group)[0];
  if (newest === undefined) throw new DatabaseRefusedError(`${file} is damaged`);
  return newest;
}

function parseRecord(record: Buffer): Head | undefined {
  if (record.length < RECORD_BYTES || !record.subarray(0, MARK.length).equals(MARK)) return undefined;
  if (record.readUInt32LE(CRC_AT) !== crc32(record.subarray(0, CRC_AT))) return undefined;
  return {
    serverId: record.toString("ascii", MARK.length, GROUP_AT),
    group: Number(record.readBigUInt64LE(GROUP_AT)),
  };
}

/** The open head file of the process that writes the database. */
export class HeadFile implements Disposable {
  readonly #descriptor: number;
  readonly #record = Buffer.alloc(RECORD_BYTES);
  #written = 0;
  #synced = 0;
  #syncing = false;

  private constructor(descriptor: number, serverId: string) {
    if (Buffer.byteLength(serverId, "ascii") !== ID_BYTES)
      throw new Error("the server id has another length");
    this.#descriptor = descriptor;
    MARK.copy(this.#record);
    this.#record.write(serverId, MARK.length, "ascii");
  }

  /** Opens the file of this data, or makes it. An existing file is written in place, which needs no free disk space. */
  static open(database: string, head: Head): HeadFile {
    if (readHead(database) === undefined) return HeadFile.make(database, head);
    const file = new HeadFile(openSync(headFileOf(database), "r+"), head.serverId);
    file.advance(head.group);
    return file;
  }

  /** Makes the file, or replaces it, as a whole: after a crash there is either no file, the old or the new one. */
  static make(database: string, { serverId, group }: Head): HeadFile {
    const path = headFileOf(database);
    const part = `${path}.part`;
    const descriptor = openSync(part, "w", 0o600);
    try {
      const file = new HeadFile(descriptor, serverId);
      file.#write(group, 0);
      file.#write(group, SECTOR_BYTES);
      fsyncSync(descriptor);
      renameSync(part, path);
      syncFolder(dirname(path));
      return file;
    } catch (error) {
      closeSync(descriptor);
      rmSync(part, { force: true });
      throw error;
    }
  }

  /** Call it after the group was committed. Costs one small write into the cache of the operating system. */
  advance(group: number): void {
    this.#written += 1;
    this.#write(group, this.#written % 2 === 0 ? 0 : SECTOR_BYTES);
  }

  /** Call it once a second. Writes what was advanced to the disk, without blocking the thread. */
  sync(onError: (error: Error) => void): void {
    const written = this.#written;
    if (this.#syncing || written === this.#synced) return;
    this.#syncing = true;
    fdatasync(this.#descriptor, (error) => {
      this.#syncing = false;
      if (error === null) this.#synced = written;
      else onError(error);
    });
  }

  [Symbol.dispose](): void {
    try {
      if (this.#written !== this.#synced) fdatasyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #write(group: number, at: number): void {
    const record = this.#record;
    record.writeBigUInt64LE(BigInt(group), GROUP_AT);
    record.writeUInt32LE(crc32(record.subarray(0, CRC_AT)), CRC_AT);
    const written = writeSync(this.#descriptor, record, 0, RECORD_BYTES, at);
    if (written !== RECORD_BYTES) throw new Error("the head file took only a part of its record");
  }
}

/** Makes a rename durable. Windows cannot open a folder, and needs no such sync. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
