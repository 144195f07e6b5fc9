// The lock of a data folder when the process that holds it is killed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DataFolderLockedError, lockDataFolder } from "../../../server/store/sqlite/database/lock.ts";
import { temporaryFolder } from "./temporary.ts";

it("the lock is released when its process is killed", async () => {
  await using place = await temporaryFolder();
  const script = join(import.meta.dirname, "children", "hold-lock.ts");
  const holder = spawn(process.execPath, [script, place.folder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(holder, "exit");
  await once(holder.stdout, "data");
  // Two attempts: a failed one must not release the lock.
  await expect(lockDataFolder(place.folder)).rejects.toThrow(DataFolderLockedError);
  await expect(lockDataFolder(place.folder)).rejects.toThrow(DataFolderLockedError);
  holder.kill("SIGKILL");
  await exited;
  using held = await lockDataFolder(place.folder);
  expect(held).toBeDefined();
});
