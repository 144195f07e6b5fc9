// Making folders: with the ones above them, and where none can be made.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolder } from "../../command-line/make-folder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-folders-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

it("makes the folder and those above it with the mode, and does nothing if it exists", () => {
  const path = join(folder, "a", "b", "c");
  makeFolder(path, 0o700);
  makeFolder(path, 0o700);
  for (const made of [path, join(folder, "a")]) expect(statSync(made).mode & 0o777).toBe(0o700);
});

it("fails if the path, or a part of it, is a file", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "below"), join(file, "far", "below")])
    expect(() => makeFolder(path, 0o700)).toThrow(/^ENOTDIR: not a directory/);
});

it.runIf(process.platform === "linux")("fails below a file system that has no new folders", () => {
  for (const path of ["/proc/nope", "/proc/nope/below"])
    expect(() => makeFolder(path, 0o700)).toThrow(/ENOENT: no such file or directory, mkdir '\/proc\/nope'/);
});
