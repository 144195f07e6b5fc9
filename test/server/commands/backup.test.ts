// parley-server backup and check, beside a running server and on files that are damaged.
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { TestServer } from "../../support/server.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-backup-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(data: string, ...words: string[]) {
  const io = fakeIo();
  const code = await runCommandLine([...words, "--data", data], io);
  return { code, out: io.out, err: io.err };
}

test("a backup beside a busy server has every message that was acked before it, and is restored with a new id", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const yoda = await server.logIn("yoda");
  const stream = await yoda.connect().caughtUp();
  for (let count = 1; count <= 50; count++) stream.send("luke", `message ${count}`);
  for (let count = 1; count <= 50; count++) await stream.next("ack");
  // These are acked during the backup or after it.
  for (let count = 51; count <= 100; count++) stream.send("luke", `message ${count}`);
  const file = join(folder, "copy.db");
  const backup = await run(server.folder, "backup", file);
  expect(backup).toMatchObject({ code: 0, err: expect.stringContaining(join(server.folder, "tls")) });
  expect(backup.out).toMatch(
    /^copy\.db in \S+ has 2 users and \d+ messages, the newest of 20\S+ \S+Z\. It is verified\.\n$/,
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["copy.db"]);
  for (let count = 51; count <= 100; count++) await stream.next("ack");

  const restored = join(folder, "restored");
  expect(await run(restored, "restore", file)).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /has the new id [\da-f]{32}\.\n(?:.*\n)*It has 2 users and .*Before, it had no database\.\n/,
    ),
  });
  expect(await run(restored, "check")).toMatchObject({ code: 0, out: expect.stringContaining("is whole") });
  using database = new DatabaseSync(join(restored, "parley.db"), { readOnly: true });
  const kept = database.prepare("SELECT content FROM entries ORDER BY seq").all();
  const texts = kept.map(({ content }) => Buffer.from(content as Uint8Array).toString());
  for (let count = 1; count <= 50; count++) expect(texts[count - 1]).toContain(`message ${count}`);
});

test("a backup does not replace a file", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  const file = join(folder, "copy.db");
  await writeFile(file, "another file");
  expect(await run(server.folder, "backup", file)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("exists; a backup does not replace a file"),
  });
  expect(await readFile(file, "utf8")).toBe("another file");
  expect(await readdir(folder)).toEqual(["copy.db"]);
  expect(await run(join(folder, "nothing"), "backup", join(folder, "other.db"))).toMatchObject({
    code: 1,
    err: expect.stringContaining(`no Parley data in ${join(folder, "nothing")}; give another folder with`),
  });
  expect(await run(server.folder, "backup", join(folder, "none", "copy.db"))).toMatchObject({
    code: 1,
    err: expect.stringContaining(`the folder ${join(folder, "none")} does not exist`),
  });
  expect(await readdir(folder)).toEqual(["copy.db"]);
});

test("check verifies a backup, which has no head file, and refuses files that are none", async () => {
  const server = await TestServer.start({ users: ["yoda", "luke"] });
  await using _ = server;
  const yoda = await server.logIn("yoda");
  for (let count = 0; count < 3; count++) await yoda.send("luke", "hi");
  const file = join(folder, "copy.db");
  await run(server.folder, "backup", file);
  expect(await run(server.folder, "check", file)).toMatchObject({
    code: 0,
    out: expect.stringContaining("copy.db is whole. It has 2 users and 3 messages"),
    err: "",
  });
  // The database of a stopped server, by its name.
  await server.stop();
  expect(await run(folder, "check", server.databaseFile)).toMatchObject({ code: 0 });

  using database = new DatabaseSync(file);
  database.exec("DELETE FROM entries WHERE seq = 1; UPDATE entries SET sender_id = 2 WHERE seq = 3");
  expect(await run(server.folder, "check", file)).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /the log lacks the entries from position 1 to 1\n.*entry 3 of conversation \d+ has another checksum .*\n$/,
    ),
  });
  removeEntry(server.databaseFile);
  expect(await run(server.folder, "check")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/ from position 2 to 2\n.*Restore a backup: .* restore FILE --data \//),
  });
  const empty = join(folder, "empty.db");
  await writeFile(empty, "");
  for (const wrong of [empty, "/dev/zero", folder]) {
    expect(await run(server.folder, "check", wrong)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(
        /has no data of Parley|is a folder, not a file|cannot be (?:read|opened)|unable to open/,
      ),
    });
  }
  expect(await run(server.folder, "check", join(folder, "none.db"))).toMatchObject({
    code: 1,
    err: expect.stringContaining("does not exist"),
  });
});

test("a restore that was killed before the backup had its name does not become a new server", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  const file = join(folder, "copy.db");
  await run(server.folder, "backup", file);
  const data = join(folder, "data");
  await run(data, "restore", file);
  // Between the last file that is put aside and the last rename, nothing else is there.
  await rename(join(data, "parley.db"), join(data, "parley.db.part"));
  for (const name of ["parley.db-head", "parley.db-wal", "parley.db-shm"]) {
    await rm(join(data, name), { force: true });
  }
  expect(await run(data, "check")).toMatchObject({
    code: 1,
    err: expect.stringContaining("parley.db.part shows that there was data"),
  });
  expect(await run(data, "restore", file)).toMatchObject({ code: 0 });
  expect(await run(data, "check")).toMatchObject({ code: 0 });
});

test("damaged data is not backed up", async () => {
  const server = await TestServer.start({ users: ["yoda", "luke"] });
  await using _ = server;
  const yoda = await server.logIn("yoda");
  for (let count = 0; count < 3; count++) await yoda.send("luke", "hi");
  await server.stop();
  removeEntry(server.databaseFile);
  const file = join(folder, "copy.db");
  expect(await run(server.folder, "backup", file)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("the log lacks the entries from position 2 to 2"),
  });
  expect(await readdir(folder)).toEqual([]);
});

function removeEntry(file: string): void {
  using database = new DatabaseSync(file);
  database.exec("DELETE FROM entries WHERE seq = 2");
}

test("check has exit code 0 for whole data beside a busy server, and 1 for data with a missing message", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const yoda = await server.logIn("yoda");
  for (let round = 0; round < 5; round++) {
    const sends = Array.from({ length: 20 }, (_, index) => yoda.send("luke", `message ${index}`));
    expect(await run(server.folder, "check")).toMatchObject({ code: 0, err: "" });
    await Promise.all(sends);
  }
  await server.stop();
  expect(await run(server.folder, "check")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/parley\.db is whole\. It has 2 users and 100 messages, the newest of /),
  });
  removeEntry(server.databaseFile);
  expect(await run(server.folder, "check")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/parley\.db: the log lacks the entries from position 2 to 2/),
  });
  expect(await run(folder, "check")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no Parley data"),
  });
});

test("check and restore say that a folder is not a backup", async () => {
  const data = join(folder, "data");
  for (const command of ["check", "restore"]) {
    expect(await run(data, command, folder)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${folder} is a folder, not a file`),
    });
  }
  expect(await readdir(folder)).toEqual([]);
});
