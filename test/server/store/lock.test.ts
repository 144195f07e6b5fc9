// One server per data folder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DataFolderLockedError, lockDataFolder } from "../../../server/store/sqlite/database/lock.ts";
import { temporaryFolder } from "./temporary.ts";

it("a folder is held by one at a time, in the same process too", async () => {
  await using place = await temporaryFolder();
  const folder = join(place.folder, "data");
  const held = await lockDataFolder(folder);
  await expect(lockDataFolder(folder)).rejects.toThrow(DataFolderLockedError);
  await expect(lockDataFolder(folder)).rejects.toThrow(
    `another server is running on the data folder ${folder}`,
  );
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  using again = await lockDataFolder(folder);
  expect(again).toBeDefined();
});

it("a holder that is killed lets go", async () => {
  await using place = await temporaryFolder();
  const script = join(import.meta.dirname, "children", "hold-lock.ts");
  const holder = spawn(process.execPath, [script, place.folder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(holder, "exit");
  await once(holder.stdout, "data");
  // Twice: the first attempt must not disturb the lock.
  await expect(lockDataFolder(place.folder)).rejects.toThrow(DataFolderLockedError);
  await expect(lockDataFolder(place.folder)).rejects.toThrow(DataFolderLockedError);
  holder.kill("SIGKILL");
  await exited;
  using held = await lockDataFolder(place.folder);
  expect(held).toBeDefined();
});
