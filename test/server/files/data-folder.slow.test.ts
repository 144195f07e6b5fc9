// A temporary data folder is deleted when the process crashes.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { packageFile } from "../../../server/files/package.ts";

test("a crash deletes the temporary folder", async () => {
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
