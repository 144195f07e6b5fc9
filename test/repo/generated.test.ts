// Checks that the generated files in gen/ are up to date with the protos.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { generate } from "./gen.ts";
import { root } from "./sources.ts";

async function contents(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(
    files.sort().map(async (file) => [relative(folder, file), await readFile(file)] as const),
  );
  return new Map(read);
}

test("generating again does not change gen/", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-gen-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  generate(folder);

  const [fresh, kept] = await Promise.all([contents(join(folder, "gen")), contents(join(root, "gen"))]);
  expect([...kept.keys()]).toEqual([...fresh.keys()]);
  const stale = [...fresh].filter(([file, bytes]) => kept.get(file)?.equals(bytes) !== true);
  expect(stale.map(([file]) => file)).toEqual([]);
});
