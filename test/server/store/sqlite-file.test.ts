// The SQLite store's file: its settings and modes, which files are refused, and what other processes may change.
import { appendFile, copyFile, mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAccounts } from "../../../server/store/engines.ts";
import { DatabaseRefusedError, openDatabase } from "../../../server/store/sqlite/database/database.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { packAppends } from "../../../server/store/sqlite/threads/group.ts";
import { Writer } from "../../../server/store/sqlite/threads/writer.ts";
import { StoreUnavailableError } from "../../../server/store/store.ts";
import { entry, newUser } from "../../contract/store-fixture.ts";
import { temporaryFolder } from "./temporary.ts";

let template: Awaited<ReturnType<typeof temporaryFolder>> | undefined;

/** The closed database that `filled` copies: two users and 300 entries. */
beforeAll(async () => {
  template = await temporaryFolder();
  await using store = await openSqliteStore({ file: join(template.folder, "parley.db") });
  for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i} ${"x".repeat(200)}`);
  await Promise.all(texts.map((text, i) => store.log.append(entry(1, i + 1, { peerId: 2 }, text))));
});
afterAll(() => template?.[Symbol.asyncDispose]());

/** A closed database with 300 entries, and its path. */
async function filled(): Promise<{ file: string } & AsyncDisposable> {
  const place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  for (const name of ["parley.db", "parley.db-head"]) {
    await copyFile(join(template?.folder ?? "", name), join(place.folder, name));
  }
  return { file, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** Changes a database with a connection of its own. */
function change(file: string, sql: string): void {
  using database = new DatabaseSync(file);
  database.exec(sql);
}

/** The message with which the store refuses to open the file. */
async function refusalOf(file: string): Promise<string> {
  const outcome = await openSqliteStore({ file }).then(
    (store) => store[Symbol.asyncDispose](),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(DatabaseRefusedError);
  const text = (outcome as Error).message;
  expect(text).toContain(file);
  return text;
}

describe("the settings", () => {
  it("make a commit durable", async () => {
    await using place = await temporaryFolder();
    using database = openDatabase({ file: join(place.folder, "parley.db") });
    expect(database.pragma("journal_mode")).toBe("wal");
    expect(database.pragma("synchronous")).toBe(2);
    expect(database.pragma("foreign_keys")).toBe(1);
    expect(database.pragma("busy_timeout")).toBe(5_000);
    expect(database.pragma("fullfsync")).toBe(1);
  });

  it("are read back, and a connection that does not take them is refused", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    change(file, "PRAGMA journal_mode = DELETE; PRAGMA application_id = 0x5061726c; CREATE TABLE t (x)");
    expect(() => openDatabase({ file, readOnly: true })).toThrow(DatabaseRefusedError);
  });

  it.skipIf(process.platform === "win32")("make the files private to their owner", async () => {
    await using place = await temporaryFolder();
    const folder = join(place.folder, "data");
    const file = join(folder, "parley.db");
    await using store = await openSqliteStore({ file });
    await store.accounts.addUser(newUser("ada"));
    const modes = [folder, file, `${file}-wal`, `${file}-shm`].map(
      async (path) => (await stat(path)).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o700, 0o600, 0o600, 0o600]);
  });
});

describe("a file that cannot be served is refused with a clear message:", () => {
  it("not a database", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    await writeFile(file, "Dear diary, ".repeat(1_000));
    expect(await refusalOf(file)).toMatch(
      /is not a database .*\. Restore a backup: .*restore FILE --data \//,
    );
    expect((await readFile(file, "utf8")).startsWith("Dear diary")).toBe(true);
  });

  it("the database of another program", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    change(file, "CREATE TABLE recipes (name)");
    expect(await refusalOf(file)).toContain("another program");
  });

  it("a database from a newer version", async () => {
    await using place = await filled();
    change(place.file, "PRAGMA user_version = 999");
    expect(await refusalOf(place.file)).toContain("newer version");
    await expect(openAccounts(pathToFileURL(place.file))).rejects.toThrow("newer version");
  });

  it("truncated", async () => {
    await using place = await filled();
    await truncate(place.file, Math.floor((await stat(place.file)).size / 2));
    expect(await refusalOf(place.file)).toContain("damaged");
  });

  it("empty, with a log that is not", async () => {
    await using place = await filled();
    await truncate(place.file, 0);
    await appendFile(`${place.file}-wal`, "remains");
    expect(await refusalOf(place.file)).toContain("is empty, but its log");
  });

  it("overwritten in the middle", async () => {
    await using place = await filled();
    const content = await readFile(place.file);
    // The pages with entries, far from the schema: only a check of the whole file finds the damage.
    content.fill(0xa5, content.length - 3 * 4_096, content.length - 4_096);
    await writeFile(place.file, content);
    expect(await refusalOf(place.file)).toContain("damaged");
  });

  it("without the rows that every database has", async () => {
    for (const [sql, text] of [
      ["DELETE FROM server", "has no data"],
      ["DELETE FROM conversations WHERE kind = 'broadcast'", "rows that it needs are missing"],
    ] as const) {
      await using place = await filled();
      change(place.file, sql);
      expect(await refusalOf(place.file)).toContain(text);
    }
  });

  it("a folder instead of a file", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    await mkdir(file);
    expect(await refusalOf(file)).toContain("cannot be opened");
  });
});

describe("entries that are missing from the database", () => {
  it("are left out of reads", async () => {
    await using place = await filled();
    change(place.file, "DELETE FROM entries WHERE seq BETWEEN 5 AND 7");
    await using store = await openSqliteStore({ file: place.file });
    const { conversationId = 0 } = (await store.log.directConversation(1, 2)) ?? {};
    const seqs = async (from: number, to: number) =>
      (await store.log.entries(conversationId, from, to, 10)).map((each) => each.seq);
    expect(await seqs(3, 9)).toEqual([3, 4, 8, 9]);
    expect(await store.log.append(entry(1, 999, { peerId: 2 }))).toMatchObject({
      status: "stored",
      seq: 301,
    });
    expect(await seqs(298, 400)).toEqual([298, 299, 300, 301]);
  });

  it("are noticed at start if they are the newest, so that their seqs are not reused", async () => {
    await using place = await filled();
    change(place.file, "DELETE FROM entries WHERE seq > 298");
    expect(await refusalOf(place.file)).toContain("is older than it was");
  });

  it("are left out of reads if their bytes have changed, and the operator is told", async () => {
    await using place = await filled();
    change(place.file, "UPDATE entries SET content = x'0a0141' WHERE seq = 5");
    await using store = await openSqliteStore({ file: place.file });
    const problems: string[] = [];
    store.onProblem(({ kind, message }) => problems.push(`${kind}: ${message}`));
    const { conversationId = 0 } = (await store.log.directConversation(1, 2)) ?? {};
    const read = await store.log.entries(conversationId, 4, 6, 10);
    expect(read.map((each) => each.seq)).toEqual([4, 6]);
    expect(problems).toEqual([
      `damaged: ${place.file} is damaged: entry 5 of conversation ${conversationId} has another checksum than when it was stored`,
    ]);
  });
});

describe("the accounts of the command line tools", () => {
  it("are stored in a database that a server then opens", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    await using tool = await openAccounts(pathToFileURL(file));
    expect(await tool.accounts.addUser(newUser("ada"))).toMatchObject({ status: "added" });
    await using store = await openSqliteStore({ file });
    expect(await store.accounts.userByName("ada")).toBeDefined();
    expect(await tool.accounts.removeUser("ada")).toBe(true);
    expect(await store.accounts.userByName("ada")).toBeUndefined();
  });

  it("stay unchanged by a call that fails", async () => {
    await using place = await temporaryFolder();
    await using tool = await openAccounts(pathToFileURL(join(place.folder, "parley.db")));
    const users = [newUser("ada"), { ...newUser("bob"), time: 0.5 }];
    await expect(tool.accounts.importUsers(users)).rejects.toThrow();
    expect(await tool.accounts.knownNames(["ada", "bob"])).toEqual([]);
  });
});

describe("the writer", () => {
  it("reports a change by another connection once, and never its own", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    const writer = new Writer({ file, maxPages: undefined }, (problem) =>
      expect.unreachable(problem.message),
    );
    writer.open();
    expect(writer.poll()).toBe(false);
    const call = { area: "accounts" as const, name: "addUser", args: [newUser("ada")], before: 0 };
    expect(writer.commit({ appends: packAppends([]), calls: [call] }).type).toBe("committed");
    expect(writer.poll()).toBe(false);
    change(file, "UPDATE users SET password_hash = 'new'");
    expect(writer.poll()).toBe(true);
    expect(writer.poll()).toBe(false);
    writer.close();
  });
});

describe("a store whose last commit is not the one that it reported", () => {
  it("reports a fatal error once, and then refuses all calls", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    const fatal = Promise.withResolvers<Error>();
    await using store = await openSqliteStore({ file, maxPages: 200, onFatal: fatal.resolve });
    for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
    // As if a group that was reported as failed had been stored.
    change(file, "UPDATE server SET group_number = 999");
    const held = expect(store.accounts.userByName("ada")).rejects.toThrow(StoreUnavailableError);
    const failing = store.log.append(entry(1, 1, { peerId: 2 }, "x".repeat(2_000_000)));
    await expect(failing).rejects.toThrow(StoreUnavailableError);
    expect((await fatal.promise).message).toContain("differs from the last commit");
    await held;
    await expect(store.log.append(entry(1, 2, { peerId: 2 }))).rejects.toThrow(StoreUnavailableError);
  });
});
