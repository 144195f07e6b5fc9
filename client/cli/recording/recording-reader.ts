// Reads the file of a recording, whole, with errors that say what is wrong with it.
import { constants, type FileHandle, open } from "node:fs/promises";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { fileProblem } from "../../../command-line/file-problem.ts";
import { type End, type Frame, type Header, Item } from "../../../gen/parley/record/v1/recording.ts";
import { StrictReader } from "../../../rpc/wire/strict-reader.ts";
import { format, RecordingError } from "./recording-error.ts";

/** Above what a server takes or sends in one message, bytes. */
const mostItemBytes = 8 * 1024 * 1024;
/** It is held in memory, bytes. */
const mostFileBytes = 256 * 1024 * 1024;

export interface Recording {
  readonly header: Header;
  readonly frames: readonly Frame[];
  /** Undefined where the program that recorded was cut off. */
  readonly end: End | undefined;
}

/** @throws RecordingError */
export async function readRecording(path: string): Promise<Recording> {
  const items = itemsOf(path, await readBounded(path));
  const [first, ...rest] = items;
  if (!isHeader(first)) throw new RecordingError(`${path} is no recording.`);
  const frames: Frame[] = [];
  let end: End | undefined;
  for (const { kind } of rest) {
    if (end !== undefined) throw new RecordingError(`${path} goes on behind its end.`);
    if (kind?.$case === "header") throw new RecordingError(`${path} has two headers.`);
    if (kind?.$case === "frame") frames.push(kind.value);
    if (kind?.$case === "end") end = kind.value;
  }
  return { header: first.kind.value, frames, end };
}

function isHeader(item: Item | undefined): item is Item & { kind: { $case: "header" } } {
  return item?.kind?.$case === "header" && item.kind.value.format === format;
}

function itemsOf(path: string, bytes: Buffer): Item[] {
  const items: Item[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    // What is no recording at all is not called a broken one.
    const broken = (why: string): RecordingError =>
      new RecordingError(isHeader(items[0]) ? `${path} is broken: ${why}.` : `${path} is no recording.`);
    const length = lengthAt(reader);
    if (length !== undefined && length > mostItemBytes) {
      throw broken(`item ${items.length + 1} has ${length} bytes`);
    }
    // Who recorded was cut off in the middle of this one: those before it are whole.
    if (length === undefined || reader.pos + length > reader.len) return items;
    const start = reader.pos;
    reader.pos += length;
    try {
      items.push(Item.decode(new StrictReader(bytes.subarray(start, reader.pos))));
    } catch (error) {
      throw broken(`item ${items.length + 1} cannot be decoded (${messageOf(error)})`);
    }
  }
  return items;
}

function lengthAt(reader: BinaryReader): number | undefined {
  try {
    return reader.uint32();
  } catch {
    return undefined;
  }
}

async function readBounded(path: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    // A pipe without a writer would be waited for.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new RecordingError(`${path} cannot be read: ${fileProblem(error)}.`, { cause: error });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new RecordingError(`${path} is no file.`);
    if (stat.size > mostFileBytes) throw new RecordingError(`${path} is too long: at most 256 MiB.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
