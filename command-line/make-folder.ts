// Makes a folder and the folders above it. Node's own recursive mkdir repeats its attempts without end below /proc.
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder with this mode, unless it exists.
 * @throws Error from the file system, with `code` and `syscall`: ENOTDIR if the path or a folder above it is a file
 */
export function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
    return;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST" && isFolder(folder)) return;
    if (code === "EEXIST") throw notAFolder(folder);
    // Where the folder above exists, as /proc does, the file system does not allow new folders.
    if (code !== "ENOENT" || isFolder(dirname(folder))) throw error;
  }
  makeFolder(dirname(folder), mode);
  // Again from the start, because another process may have made it meanwhile.
  makeFolder(folder, mode);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** The error that mkdir has for a file above the folder; for the path itself it says only that it exists. */
function notAFolder(path: string): Error {
  return Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), {
    code: "ENOTDIR",
    syscall: "mkdir",
    path,
  });
}
