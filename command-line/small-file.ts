// Reads a file that a person names: only a regular file, and only up to a bound. A pipe would block the program, and a
// device would fill its memory.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export interface SmallFile {
  readonly text: string;
  /** The permissions, such as 0o644. */
  readonly mode: number;
  /** The id of the user to whom it belongs; 0 on Windows. */
  readonly owner: number;
}

/** The bound of files that people write: settings, certificates, keys, tokens. */
export const SMALL_FILE_BYTES = 1024 * 1024;

/** @throws Error from the file system, or of the same shape if the file is not regular or too long */
export async function readSmallFile(path: string, mostBytes = SMALL_FILE_BYTES): Promise<SmallFile> {
  // Opening a pipe without O_NONBLOCK would wait for its writer.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const { mode, uid } = await checked(file, path, mostBytes);
    return { text: await readUpTo(file, path, mostBytes), mode: mode & 0o7777, owner: uid };
  } finally {
    await file.close();
  }
}

/** Whether another user than this process's, and not root, could have written the file. */
export function isOthers({ owner }: SmallFile): boolean {
  const user = process.geteuid?.();
  return user !== undefined && owner !== user && owner !== 0;
}

async function checked(file: FileHandle, path: string, mostBytes: number) {
  const stat = await file.stat();
  if (stat.isDirectory()) throw problem("EISDIR", "a folder, not a file", path);
  if (!stat.isFile()) throw problem("EINVAL", "not a regular file", path);
  if (stat.size > mostBytes) throw tooLong(path, mostBytes);
  return stat;
}

/** A file can grow while it is read, and files such as those of /proc have the size 0. */
async function readUpTo(file: FileHandle, path: string, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = Buffer.alloc(64 * 1024);
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    if (bytesRead === 0) return Buffer.concat(chunks).toString("utf8");
    bytes += bytesRead;
    if (bytes > mostBytes) throw tooLong(path, mostBytes);
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function tooLong(path: string, mostBytes: number): Error {
  return problem("EFBIG", `longer than ${mostBytes} bytes`, path);
}

function problem(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}, open '${path}'`), { code, syscall: "open", path });
}
