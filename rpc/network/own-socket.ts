// A path for a local socket that only this user can connect to.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OwnSocket extends AsyncDisposable {
  /** The path to listen on, and to connect to. */
  readonly path: string;
}

/**
 * The longest path of a socket that every system allows, bytes. macOS has room for 104, including a terminating zero.
 */
const MOST_PATH_BYTES = 103;

/**
 * Makes a path that no program listens on yet. Disposing of it removes the path; open connections stay open.
 * @throws Error of the file system if no folder can be made
 */
export async function ownSocket(): Promise<OwnSocket> {
  if (process.platform === "win32") {
    // A pipe needs no folder and ends with its server, and other users cannot write to it.
    return { path: `\\\\.\\pipe\\parley-${randomUUID()}`, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const inParent = (parent: string): string => join(parent, "parley-");
  const pathIn = (folder: string): string => join(folder, "peer");
  // The path of the folder for temporary files can be too long for a socket.
  const isShort = Buffer.byteLength(pathIn(`${inParent(tmpdir())}XXXXXX`)) <= MOST_PATH_BYTES;
  const folder = await mkdtemp(inParent(isShort ? tmpdir() : "/tmp"));
  return {
    path: pathIn(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
