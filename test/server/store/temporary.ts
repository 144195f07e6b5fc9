// A SQLite store in a temporary folder, which is removed when the store is disposed of.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { openAccounts } from "../../../server/store/engines.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import type { StartThread } from "../../../server/store/sqlite/threads/thread.ts";
import type { StoreUnderTest } from "../../contract/store-fixture.ts";

export async function temporaryFolder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "parley-store-"));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** `startThread` replaces the worker threads. */
export async function sqliteUnderTest(startThread?: StartThread): Promise<StoreUnderTest> {
  const place = await temporaryFolder();
  const file = join(place.folder, "data", "parley.db");
  let store = await openSqliteStore({ file, startThread });
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store[Symbol.asyncDispose]();
      store = await openSqliteStore({ file, startThread });
      return store;
    },
    async addUserElsewhere(user) {
      await using direct = await openAccounts(pathToFileURL(file));
      await direct.accounts.addUser(user);
    },
    fillFailures(count, { count: failures, lockedUntil, locks }, time) {
      using database = new DatabaseSync(file, { timeout: 5_000 });
      database
        .prepare(
          `WITH RECURSIVE keys (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM keys WHERE i < ?)
           INSERT INTO log_in_failures (key, count, locked_until, locks, change_time)
           SELECT 'fill:' || i, ?, ?, ?, ? FROM keys`,
        )
        .run(count, failures, lockedUntil, locks, time);
      database.prepare("UPDATE row_totals SET total = total + ? WHERE quota = 'failures'").run(count);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}
