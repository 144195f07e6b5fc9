// What is generated and kept in gen/ is what the protos generate today.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { root } from "./sources.ts";

const run = promisify(execFile);
const bin = join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };

async function contents(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(
    files.sort().map(async (file) => [relative(folder, file), await readFile(file)] as const),
  );
  return new Map(read);
}

test("generating again changes nothing in gen/", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-gen-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await run("buf", ["generate", "-o", folder], { cwd: root, env });
  const image = join(folder, "gen", "parley.binpb");
  await run("buf", ["build", "proto", "-o", image, "--as-file-descriptor-set"], { cwd: root, env });

  const [fresh, kept] = await Promise.all([contents(join(folder, "gen")), contents(join(root, "gen"))]);
  expect([...kept.keys()]).toEqual([...fresh.keys()]);
  const stale = [...fresh].filter(([file, bytes]) => kept.get(file)?.equals(bytes) !== true);
  expect(stale.map(([file]) => file)).toEqual([]);
});
