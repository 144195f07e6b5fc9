// Reads a recording's file into memory, and checks it.
import { constants, type FileHandle, open } from "node:fs/promises";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { fileProblem } from "../../../command-line/file-problem.ts";
import { type End, type Frame, type Header, Item } from "../../../gen/parley/record/v1/recording.ts";
import { StrictReader } from "../../../rpc/wire/strict-reader.ts";
import { format, RecordingError } from "./recording-error.ts";

/** The longest item, bytes: more than the largest message of a server or client. */
const mostItemBytes = 8 * 1024 * 1024;
/** The longest file, bytes: it is read into memory. */
const mostFileBytes = 256 * 1024 * 1024;

export interface Recording {
  readonly header: Header;
  readonly frames: readonly Frame[];
  /** Undefined if the recording was cut off. */
  readonly end: End | undefined;
}

/** @throws RecordingError */
export async function readRecording(path: string): Promise<Recording> {
  const items = itemsOf(path, await readBounded(path));
  const [first, ...rest] = items;
  if (!isHeader(first)) throw new RecordingError(`${path} is not a recording.`);
  const frames: Frame[] = [];
  let end: End | undefined;
  for (const { kind } of rest) {
    if (end !== undefined) throw new RecordingError(`${path} continues after its end.`);
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
    // A file without a header is not a broken recording, but another file.
    const broken = (why: string): RecordingError =>
      new RecordingError(isHeader(items[0]) ? `${path} is broken: ${why}.` : `${path} is not a recording.`);
    const length = lengthAt(reader);
    if (length !== undefined && length > mostItemBytes) {
      throw broken(`item ${items.length + 1} has ${length} bytes`);
    }
    // The recording was cut off within this item. The items before it are complete.
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
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new RecordingError(`${path} cannot be read: ${fileProblem(error)}.`, { cause: error });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new RecordingError(`${path} is not a file.`);
    if (stat.size > mostFileBytes) throw new RecordingError(`${path} is too long. The limit is 256 MiB.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
