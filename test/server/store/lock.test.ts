// The lock on a data folder, which allows one server at a time.
import { join } from "node:path";
import { expect, it } from "vitest";
import { DataFolderLockedError, lockDataFolder } from "../../../server/store/sqlite/database/lock.ts";
import { temporaryFolder } from "./temporary.ts";

it("a folder can be locked only once at a time, even by the same process", async () => {
  await using place = await temporaryFolder();
  const folder = join(place.folder, "data");
  const held = await lockDataFolder(folder);
  await expect(lockDataFolder(folder)).rejects.toThrow(DataFolderLockedError);
  await expect(lockDataFolder(folder)).rejects.toThrow(`a server is using the data folder ${folder}`);
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  using again = await lockDataFolder(folder);
  expect(again).toBeDefined();
});
