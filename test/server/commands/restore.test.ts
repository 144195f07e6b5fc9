// parley-server restore: what it changes, what it keeps, and what it says.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { lockDataFolder } from "../../../server/store/sqlite/database/lock.ts";
import { backupData } from "../../../server/store/sqlite/restoring.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { newUser } from "../../contract/store-fixture.ts";
import { startInProcess } from "../store/in-process-thread.ts";
import { fakeIo } from "./fake-io.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-restore-"));
});
afterEach(() => rm(data, { recursive: true }));

async function run(...words: string[]) {
  const io = fakeIo("");
  const code = await runCommandLine(["restore", ...words, "--data", data], io);
  return { code, out: io.out, err: io.err };
}

/** Serves the data for a moment. Returns the server's id. */
async function serve(...newNames: string[]): Promise<string> {
  await using store = await openSqliteStore({ file: join(data, "parley.db"), startThread: startInProcess });
  for (const name of newNames) await store.accounts.addUser(newUser(name));
  return store.serverId;
}

test("a backup replaces the data, which is kept, and gets a new id", async () => {
  const id = await serve("ada");
  const backup = join(data, "backup.db");
  backupData(join(data, "parley.db"), backup);
  await serve("bob");
  const { code, out } = await run(backup);
  expect(code).toBe(0);
  expect(out).toMatch(
    /new id [0-9a-f]{32}\.\nThe last write is lost: messages, or only changes of users, sessions and read marks\.\nIt has 1 user and 0 messages\. Before, it had 2 users and 0 messages\.\nKept .*parley\.db-head\.\d+T\d+Z\nKept .*parley\.db\.\d+T\d+Z\n$/,
  );
  expect(await serve()).toBe(/new id (\w+)/.exec(out)?.[1]);
  expect(out).not.toContain(id);
});

test("--accept goes on with the data that is there", async () => {
  await serve("ada");
  rmSync(join(data, "parley.db-head"));
  await expect(serve()).rejects.toThrow("parley-server restore --accept --data");
  const { code, out } = await run("--accept");
  expect(code).toBe(0);
  expect(await serve()).toBe(/new id (\w+)/.exec(out)?.[1]);
});

test("a server that runs, a missing file and a file that is no backup are refused, and nothing is changed", async () => {
  await serve("ada");
  const before = readFileSync(join(data, "parley.db"));
  {
    using _lock = await lockDataFolder(data);
    expect(await run("--accept")).toMatchObject({
      code: 1,
      err: expect.stringContaining("a server is using"),
    });
  }
  expect(await run(join(data, "nope.db"))).toMatchObject({
    code: 1,
    err: expect.stringContaining("nope.db does not exist. Nothing was changed."),
  });
  expect(existsSync(join(data, "nope.db"))).toBe(false);
  expect(await run(import.meta.filename)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is not a database .*\. Nothing was changed\. Choose another backup\./),
  });
  // A folder that was not there is not made.
  const io = fakeIo("");
  const absent = join(data, "absent");
  expect(await runCommandLine(["restore", import.meta.filename, "--data", absent], io)).toBe(1);
  expect(existsSync(absent)).toBe(false);
  expect((await run()).code).toBe(2);
  expect((await run("x", "--accept")).code).toBe(2);
  expect(readFileSync(join(data, "parley.db"))).toEqual(before);
});
