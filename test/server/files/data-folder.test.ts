// A temporary data folder: only its owner can read it, and it is deleted when it is disposed.
import { existsSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDataFolder } from "../../../server/files/data-folder.ts";

test("each has mode 0700, and is deleted with its content", async () => {
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
