// The SQLite store when the database cannot grow.
import { join } from "node:path";
import { expect, it } from "vitest";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { StoreUnavailableError } from "../../../server/store/store.ts";
import { entry, newUser } from "../../contract/store-fixture.ts";
import { temporaryFolder } from "./temporary.ts";

it("a full disk fails the whole group, and the next group is stored as if the failed one had never existed", async () => {
  await using place = await temporaryFolder();
  await using store = await openSqliteStore({ file: join(place.folder, "parley.db"), maxPages: 200 });
  for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
  const announced: number[] = [];
  await store.log.follow(({ entries }) => {
    announced.push(...entries.map((each) => each.seq));
  });
  const { log, accounts } = store;
  expect(await log.append(entry(1, 1, { peerId: 2 }))).toMatchObject({ status: "stored", seq: 1 });
  const group = [
    log.append(entry(1, 2, { peerId: 2 })),
    accounts.addUser(newUser("cyd")),
    log.append(entry(1, 3, { peerId: 2 }, "x".repeat(2_000_000))),
    log.append(entry(1, 4, { peerId: 2 })),
  ];
  for (const result of await Promise.allSettled(group)) {
    expect(result.status === "rejected" && result.reason).toBeInstanceOf(StoreUnavailableError);
  }
  expect(announced).toEqual([1]);
  expect((await log.directConversation(1, 2))?.headSeq).toBe(1);
  expect(await log.append(entry(1, 2, { peerId: 2 }))).toMatchObject({ status: "stored", seq: 2 });
  expect(await accounts.addUser(newUser("cyd"))).toMatchObject({ status: "added" });
  expect(announced).toEqual([1, 2]);
});
