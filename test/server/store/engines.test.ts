// The engines of the store: accounts that are opened by a URL, also while a server holds the data.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { engineOf, openAccounts } from "../../../server/store/engines.ts";
import { DataFolderLockedError, lockDataFolder } from "../../../server/store/sqlite/database/lock.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { newUser } from "../../contract/store-fixture.ts";
import { temporaryFolder } from "./temporary.ts";

test("accounts are opened beside the server that holds the folder, and a second server is refused", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  using _lock = await lockDataFolder(place.folder);
  await using store = await openSqliteStore({ file });
  await using tool = await openAccounts(pathToFileURL(file));
  expect(await tool.accounts.addUser(newUser("ada"))).toMatchObject({ status: "added" });
  expect(await store.accounts.userByName("ada")).toBeDefined();
  await expect(lockDataFolder(place.folder)).rejects.toThrow(DataFolderLockedError);
});

test("data that is missing is found out, and is created when the accounts are opened", async () => {
  await using place = await temporaryFolder();
  const url = pathToFileURL(join(place.folder, "a folder#1", "parley.db"));
  expect(await engineOf(url).hasData(url)).toBe(false);
  await (await openAccounts(url))[Symbol.asyncDispose]();
  expect(await engineOf(url).hasData(url)).toBe(true);
});

test("a URL that no store has is refused by name", async () => {
  await expect(openAccounts(new URL("mysql://host/data"))).rejects.toThrow(RangeError);
  await expect(openAccounts(new URL("mysql://host/data"))).rejects.toThrow("mysql:");
});
