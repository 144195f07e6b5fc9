// Data that is less than was acked is refused at start, whatever is missing, and nothing of it is changed.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAccounts } from "../../../server/store/engines.ts";
import { checkData } from "../../../server/store/sqlite/database/data-check.ts";
import { DatabaseRefusedError } from "../../../server/store/sqlite/database/database.ts";
import { readHead } from "../../../server/store/sqlite/database/head-file.ts";
import {
  acceptData,
  backupData,
  examineData,
  restoreData,
  verifyBackup,
} from "../../../server/store/sqlite/restoring.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { entry, newUser } from "../../contract/store-fixture.ts";
import { startInProcess } from "./in-process-thread.ts";
import { temporaryFolder } from "./temporary.ts";

const HEADER = 32;
const FRAME = 24 + 4096;

let place: Awaited<ReturnType<typeof temporaryFolder>>;
/** The files of a killed server, after each of these commits: a full log, a database that is behind it, and the head. */
const killed: string[] = [];
let serverId: string;

beforeAll(async () => {
  place = await temporaryFolder();
  const folder = join(place.folder, "running");
  const file = join(folder, "parley.db");
  await using store = await openSqliteStore({ file, startThread: startInProcess });
  serverId = store.serverId;
  for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
  for (let commit = 0; commit < 6; commit += 1) {
    // Longer than a page, so that each commit has several frames.
    await store.log.append(entry(1, commit + 1, { peerId: 2 }, `${commit}`.repeat(6_000)));
    const copy = join(place.folder, `killed-${commit}`);
    copyFiles(folder, copy);
    killed.push(copy);
  }
});
afterAll(() => place[Symbol.asyncDispose]());

function copyFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const name of ["parley.db", "parley.db-wal", "parley.db-head"])
    copyFileSync(join(from, name), join(to, name));
}

let copies = 0;
/** A copy of the files after a commit; by default the last one. */
function files(commit = killed.length - 1): { folder: string; file: string; log: string; head: string } {
  const folder = join(place.folder, `copy-${copies++}`);
  copyFiles(killed[commit] ?? "", folder);
  const file = join(folder, "parley.db");
  return { folder, file, log: `${file}-wal`, head: `${file}-head` };
}

function contentsOf(folder: string): Record<string, string> {
  // SQLite makes the index of the log, and an empty log, whenever it reads.
  const names = readdirSync(folder).filter(
    (name) => !name.endsWith("-shm") && !(name.endsWith("-wal") && statSync(join(folder, name)).size === 0),
  );
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]));
}

async function open(file: string) {
  return openSqliteStore({ file, startThread: startInProcess });
}

/** The head of the conversation of the two users, and the server's id. */
async function opened(file: string): Promise<{ headSeq: number | undefined; serverId: string }> {
  await using store = await open(file);
  const conversation = await store.log.directConversation(1, 2);
  return { headSeq: conversation?.headSeq, serverId: store.serverId };
}

/** Expects that the server and the tools refuse the data, name the file and the way out, and change nothing. */
async function expectRefused(
  { folder, file }: { folder: string; file: string },
  ...texts: string[]
): Promise<void> {
  const before = contentsOf(folder);
  const refused = await open(file).then(
    async (store) => {
      await store[Symbol.asyncDispose]();
      return undefined;
    },
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(DatabaseRefusedError);
  for (const text of [...texts, "Nothing was changed", `parley-server restore --accept --data ${folder}`]) {
    expect((refused as Error).message).toContain(text);
  }
  await expect(openAccounts(pathToFileURL(file))).rejects.toThrow(DatabaseRefusedError);
  expect(examineData(file)[0]).toBe((refused as Error).message);
  rmSync(join(folder, "lock.db"), { force: true });
  expect(contentsOf(folder)).toEqual(before);
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
}

function logBytes(commit: number): number {
  return readFileSync(join(killed[commit] ?? "", "parley.db-wal")).length;
}

describe("the files of a killed server", () => {
  it("are opened with all that was acked", async () => {
    expect(await opened(files().file)).toEqual({ headSeq: 6, serverId });
  });

  it("have the number of the last commit in the head file", () => {
    const first = readHead(files(0).file);
    expect(first?.serverId).toBe(serverId);
    expect(readHead(files(5).file)?.group).toBe((first?.group ?? 0) + 5);
  });

  it("are refused without the database", async () => {
    const data = files();
    rmSync(data.file);
    await expectRefused(data, "parley.db is missing", "parley.db-wal");
  });

  it("are refused with an empty database, whatever remains beside it", async () => {
    const data = files();
    truncateSync(data.file, 0);
    await expectRefused(data, "parley.db is empty", "parley.db-wal");
    rmSync(data.log);
    await expectRefused(data, "parley.db is empty", "parley.db-head");
    rmSync(data.head);
    writeFileSync(join(data.folder, "server.json"), "{}");
    await expectRefused(data, "parley.db is empty", "server.json");
  });

  it("are refused without the log", async () => {
    const data = files();
    rmSync(data.log);
    await expectRefused(data, "older than it was", "parley.db-head");
  });

  it("are refused without the head file", async () => {
    const data = files();
    rmSync(data.head);
    await expectRefused(data, "parley.db-head is missing");
  });

  it("are refused with the database of an earlier time, or of another server", async () => {
    const data = files();
    copyFileSync(files(3).log, data.log);
    await expectRefused(data, "older than it was");
    const other = files();
    acceptData(other.file);
    copyFileSync(other.file, data.file);
    rmSync(data.log);
    await expectRefused(data, "belongs to other data");
  });
});

describe("one flipped bit in the log", () => {
  it.each([5, 0x100, 0x800])("at byte %i of any frame is damage", (offset) => {
    const data = files();
    for (let at = HEADER + offset; at < logBytes(5); at += FRAME) {
      flip(data.log, at);
      expect(() => checkData(data.file), `at ${at}`).toThrow(DatabaseRefusedError);
      flip(data.log, at);
    }
    checkData(data.file);
  });

  it("is damage of the log itself if commits come after it, also without a head file", () => {
    const data = files();
    rmSync(data.head);
    for (let at = 3; at < logBytes(3); at += 997) {
      flip(data.log, at);
      expect(() => checkData(data.file), `at ${at}`).toThrow(
        /parley.db-wal is damaged at .*commits after that/,
      );
      flip(data.log, at);
    }
  });

  it.each([3, HEADER + 2, HEADER + 2 * FRAME + 99])("at byte %i is not repaired by anyone", async (at) => {
    const data = files();
    flip(data.log, at);
    await expectRefused(data, "parley.db-wal is damaged at");
  });

  it("in the last commit is found by the head file", async () => {
    const data = files();
    flip(data.log, logBytes(5) - 100);
    await expectRefused(data, "older than it was");
  });
});

describe("a commit that a power cut interrupted", () => {
  it("is not damage, whatever parts of it were written", async () => {
    // The head file does not know the last commit, since that was not acked.
    for (let cut = logBytes(4); cut < logBytes(5); cut += 2_003) {
      const short = files();
      copyFileSync(files(4).head, short.head);
      truncateSync(short.log, cut);
      expect(await opened(short.file)).toEqual({ headSeq: 5, serverId });

      const torn = files();
      copyFileSync(files(4).head, torn.head);
      flip(torn.log, cut);
      expect((await opened(torn.file)).headSeq).toBe(5);
    }
  });

  it("leaves one whole record of the head file", async () => {
    for (const at of [20, 44, 50, 4_096 + 20, 4_096 + 44]) {
      const data = files();
      flip(data.head, at);
      expect((await opened(data.file)).headSeq).toBe(6);
    }
    const data = files();
    flip(data.head, 20);
    flip(data.head, 4_096 + 20);
    await expectRefused(data, "parley.db-head is damaged");
  });
});

describe("old frames in the log", () => {
  it("are not damage: of earlier uses of the log, and of transactions that were rolled back", async () => {
    const { file, log } = files();
    await using store = await open(file);
    using database = new DatabaseSync(file);
    database.exec("PRAGMA cache_size = 5; PRAGMA wal_autocheckpoint = 0");
    const rolledBack = () => {
      database.exec(
        "BEGIN; CREATE TABLE spilled (x); INSERT INTO spilled SELECT zeroblob(4000) FROM entries e, entries f, entries g; ROLLBACK",
      );
    };
    for (let round = 0; round < 3; round += 1) {
      rolledBack();
      rolledBack();
      await store.log.append(entry(1, 10 + round, { peerId: 2 }));
      const copy = join(place.folder, `spilled-${round}`);
      copyFiles(join(file, ".."), copy);
      expect(readFileSync(log).length).toBeGreaterThan(100_000);
      expect((await opened(join(copy, "parley.db"))).headSeq).toBe(7 + round);
      if (round === 1) database.exec("PRAGMA wal_checkpoint(RESTART)");
    }
  });
});

describe("data of a version without a head file", () => {
  it("is accepted, and gets a head file once", async () => {
    const data = files();
    {
      await using _ = await open(data.file);
    }
    rmSync(data.head);
    {
      using database = new DatabaseSync(data.file);
      database.exec("UPDATE server SET has_head = 0");
    }
    expect((await opened(data.file)).headSeq).toBe(6);
    expect(existsSync(data.head)).toBe(true);
    rmSync(data.head);
    await expectRefused(data, "parley.db-head is missing");
  });
});

describe("accepting the data that is there", () => {
  it("gives it a new id, and keeps what does not belong to it", async () => {
    const data = files();
    flip(data.log, HEADER + 3 * FRAME);
    const damagedLog = readFileSync(data.log);
    const { group } = readHead(data.file) ?? { group: 0 };
    const accepted = acceptData(data.file, 0);
    expect(accepted.lastGroup).toBe(group);
    expect(accepted.group).toBeLessThan(group);
    expect(accepted.putAside).toEqual([`${data.log}.19700101T000000Z`, `${data.head}.19700101T000000Z`]);
    expect(readFileSync(accepted.putAside[0] ?? "")).toEqual(damagedLog);
    expect(accepted.serverId).not.toBe(serverId);
    expect((await opened(data.file)).serverId).toBe(accepted.serverId);
  });

  it("begins with no data if there is none", async () => {
    const data = files();
    rmSync(data.file);
    writeFileSync(join(data.folder, "server.json"), "{}");
    const accepted = acceptData(data.file, 0);
    expect(accepted.group).toBe(0);
    expect(accepted.putAside).toHaveLength(3);
    expect(await opened(data.file)).toEqual({ headSeq: undefined, serverId: accepted.serverId });
  });
});

describe("a backup", () => {
  it("is made while a server writes, and restored with a new id", async () => {
    const data = files();
    const backup = join(data.folder, "backup.db");
    {
      await using store = await open(data.file);
      backupData(data.file, backup);
      await store.log.append(entry(1, 99, { peerId: 2 }));
      expect(() => backupData(data.file, backup)).toThrow("EEXIST");
    }
    const restored = restoreData(backup, data.file, 0);
    expect(restored.lastGroup).toBe(restored.group + 1);
    expect(await opened(data.file)).toEqual({ headSeq: 6, serverId: restored.serverId });
    expect(examineData(data.file)).toEqual([]);
    // The data that was there is whole under its new name.
    const [head, old] = restored.putAside;
    expect([head, old]).toEqual([`${data.head}.19700101T000000Z`, `${data.file}.19700101T000000Z`]);
  });

  it("that is damaged is refused", () => {
    const data = files();
    const backup = join(data.folder, "backup.db");
    backupData(data.file, backup);
    const before = contentsOf(data.folder);
    const bytes = readFileSync(backup);
    bytes.fill(0x55, 3 * 4096, 4 * 4096);
    const bad = join(place.folder, "bad.db");
    writeFileSync(bad, bytes);
    expect(() => verifyBackup(bad)).toThrow(DatabaseRefusedError);
    writeFileSync(bad, "Dear diary, ".repeat(1_000));
    expect(() => verifyBackup(bad)).toThrow("is not a database");
    expect(contentsOf(data.folder)).toEqual(before);
  });
});
