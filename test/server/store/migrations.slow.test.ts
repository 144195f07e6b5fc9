// A database of version 10 with a million entries is migrated as a whole or not at all.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { contentsOf, examineData } from "../../../server/store/sqlite/restoring.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { eventually } from "../../support/eventually.ts";
import { makeOldDatabase } from "./old-database.ts";
import { temporaryFolder } from "./temporary.ts";

const MESSAGES = 1_000_000;
const USERS = 20;
const CONVERSATIONS = 1 + (USERS * (USERS - 1)) / 2;

function migrating(file: string): ChildProcess {
  const child = join(import.meta.dirname, "children", "migrate.ts");
  return spawn(process.execPath, [child, file], { stdio: ["ignore", "ignore", "inherit"] });
}

/** What a migration that was killed must leave as it was. */
function stateOf(file: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  const { user_version: version } = database.prepare("PRAGMA user_version").get() ?? {};
  const entries = database
    .prepare("SELECT count(*) AS count, sum(seq) AS seqs, sum(length(content)) AS bytes FROM entries")
    .get();
  return { version, ...entries };
}

it("a million entries are migrated, and are whole when the process is killed in the middle", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  makeOldDatabase(file, USERS, MESSAGES);
  const before = stateOf(file);
  expect(before).toMatchObject({ version: 10, count: MESSAGES });
  // Early, and when most entries are copied.
  for (const written of [1, 60]) {
    const child = migrating(file);
    const closed = once(child, "close");
    await eventually(() => {
      const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      expect(log).toBeGreaterThan(written * 1024 * 1024);
    });
    child.kill("SIGKILL");
    expect(await closed).toEqual([null, "SIGKILL"]);
    expect(stateOf(file)).toEqual(before);
  }
  expect(await once(migrating(file), "close")).toEqual([0, null]);
  expect(examineData(file)).toEqual([]);
  expect(contentsOf(file)).toMatchObject({ users: USERS, entries: MESSAGES, newestTime: MESSAGES - 1 });
  await using store = await openSqliteStore({ file });
  const conversation = await store.log.directConversation(1, 2);
  const headSeq = Math.floor((MESSAGES - 2) / CONVERSATIONS) + 1;
  expect(conversation).toMatchObject({ headSeq });
  const newest = await store.log.entries(conversation?.conversationId ?? 0, 1, headSeq, 2, true);
  expect(newest.map(({ seq, time }) => [seq, time])).toEqual([
    [headSeq - 1, (headSeq - 2) * CONVERSATIONS + 1],
    [headSeq, (headSeq - 1) * CONVERSATIONS + 1],
  ]);
});
