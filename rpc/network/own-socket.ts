// A place where a program of this machine can be connected to, which only this user can enter.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OwnSocket extends AsyncDisposable {
  /** What to listen on, and to connect to. */
  readonly path: string;
}

/** The longest path that a socket can have on every system, bytes: macOS has room for 104, with a zero at the end. */
const MOST_PATH_BYTES = 103;

/**
 * A path that nobody listens on yet. Dispose of it to remove it: whoever is connected by then stays so.
 * @throws Error of the file system, where no folder can be made
 */
export async function ownSocket(): Promise<OwnSocket> {
  if (process.platform === "win32") {
    // A pipe is in no folder, and gone with its server; others may not write to it.
    return { path: `\\\\.\\pipe\\parley-${randomUUID()}`, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const inParent = (parent: string): string => join(parent, "parley-");
  const pathIn = (folder: string): string => join(folder, "peer");
  // A folder for temporary files may be anywhere: the path of a socket has an end.
  const isShort = Buffer.byteLength(pathIn(`${inParent(tmpdir())}XXXXXX`)) <= MOST_PATH_BYTES;
  const folder = await mkdtemp(inParent(isShort ? tmpdir() : "/tmp"));
  return {
    path: pathIn(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
