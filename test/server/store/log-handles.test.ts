// The contract of two stores on one database: on the reference in memory, and on handles of one SQLite store.

import { newUser } from "../../contract/store-fixture.ts";
import { handlesContract } from "../../contract/store-handles.ts";
import { MemoryLog } from "../../support/memory-log.ts";
import { storeHandle } from "../../support/store-handle.ts";
import { startInProcess } from "./in-process-thread.ts";
import { sqliteUnderTest } from "./temporary.ts";

handlesContract("the reference in memory", () => {
  const log = new MemoryLog();
  return Promise.resolve({
    one: log.handle(),
    other: log.handle(),
    users: [1, 2, 3, 4],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

handlesContract("SQLite", async () => {
  const under = await sqliteUnderTest(startInProcess);
  for (const name of ["ada", "bob", "cyd", "dan"]) await under.store.accounts.addUser(newUser(name));
  const [one, other] = [
    await storeHandle(under.store, { close: false }),
    await storeHandle(under.store, { close: false }),
  ];
  return {
    one: one.log,
    other: other.log,
    users: [1, 2, 3, 4],
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
});
