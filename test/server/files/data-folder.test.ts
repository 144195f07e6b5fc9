// A temporary data folder: closed to others, and gone with what made it, however that ends.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { temporaryDataFolder } from "../../../server/files/data-folder.ts";
import { packageFile } from "../../../server/files/package.ts";

test("it is for this account alone, and goes with all that is in it", async () => {
  let path: string;
  {
    using folder = await temporaryDataFolder();
    using other = await temporaryDataFolder();
    ({ path } = folder);
    expect(other.path).not.toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await writeFile(join(path, "parley.db"), "x");
  }
  expect(existsSync(path)).toBe(false);
});

test("a crash leaves nothing", async () => {
  const around = await mkdtemp(join(tmpdir(), "parley-folder-"));
  const module = pathToFileURL(packageFile("server/files/data-folder.ts")).href;
  const script = `
    const { temporaryDataFolder } = await import(${JSON.stringify(module)});
    const { path } = await temporaryDataFolder();
    process.stdout.write(path);
    throw new Error("crash");`;
  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    env: { ...process.env, TMPDIR: around },
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout).toContain(around);
  expect(await readdir(around)).toEqual([]);
  await rm(around, { recursive: true });
});
