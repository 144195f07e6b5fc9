// Folders with private data are closed to other users, and those of other users are refused.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../client/state/database.ts";
import { readSmallFile } from "../../command-line/small-file.ts";
import { runCommandLine } from "../../server/commands/run-command.ts";
import { loadCertificate, ownCertificate } from "../../server/files/certificate.ts";
import { openAccounts } from "../../server/store/engines.ts";
import { lockDataFolder } from "../../server/store/sqlite/database/lock.ts";
import { fakeIo } from "../server/commands/fake-io.ts";
import { CHEAP } from "../support/cheap-passwords.ts";

const isRoot = process.geteuid?.() === 0;
const hasOwners = process.platform !== "win32";
const OTHER = 12_345;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-private-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

async function run(...words: string[]) {
  const io = fakeIo("a long password\n");
  const code = await runCommandLine([...words, "--data", folder], io, { passwordCost: CHEAP });
  return { code, err: io.err };
}

test.skipIf(!hasOwners)("an open data folder is closed with its files, and they are named", async () => {
  await (await openAccounts(pathToFileURL(join(folder, "parley.db"))))[Symbol.asyncDispose]();
  mkdirSync(join(folder, "tls"));
  writeFileSync(join(folder, "tls", "key.pem"), "key", { mode: 0o644 });
  for (const name of ["", "parley.db", "tls", join("tls", "key.pem")]) {
    chmodSync(join(folder, name), name.endsWith("pem") ? 0o644 : 0o777);
  }
  using lock = await lockDataFolder(folder);
  expect(lock.closed).toEqual([
    `${folder} (mode 0777)`,
    `${join(folder, "parley.db")} (mode 0777)`,
    `${join(folder, "tls")} (mode 0777)`,
    `${join(folder, "tls", "key.pem")} (mode 0644)`,
  ]);
  expect(modeOf(folder)).toBe(0o700);
  expect(modeOf(join(folder, "tls", "key.pem"))).toBe(0o600);
});

test.skipIf(!hasOwners)(
  "a pipe in the data folder, or as the log file, is refused instead of waited for",
  async () => {
    for (const name of ["parley.db", "parley.db-head", "reserve"]) {
      execFileSync("mkfifo", [join(folder, name)]);
      await expect(lockDataFolder(folder)).rejects.toThrow(`${join(folder, name)} is not a regular file`);
      rmSync(join(folder, name));
    }
    execFileSync("mkfifo", [join(folder, "log")]);
    const { code, err } = await run("--log", join(folder, "log"), "--listen", "127.0.0.1:0");
    expect([code, err]).toEqual([2, expect.stringContaining("is a pipe, and a log needs a file")]);
  },
);

test.skipIf(!hasOwners)("an open state folder of the client is closed", () => {
  openDatabase(folder).close();
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "state.db"), 0o644);
  openDatabase(folder).close();
  expect([modeOf(folder), modeOf(join(folder, "state.db"))]).toEqual([0o700, 0o600]);
});

test.skipIf(!isRoot)(
  "a folder of another user is refused, also for root, and nothing is made in it",
  async () => {
    chownSync(folder, OTHER, OTHER);
    const advice = `${folder} belongs to the user with the id ${OTHER}`;
    expect(await run("user", "add", "ada", "--password-stdin")).toMatchObject({
      code: 1,
      err: expect.stringContaining(advice),
    });
    expect(await run("--listen", "127.0.0.1:0")).toMatchObject({
      code: 1,
      err: expect.stringContaining(`sudo -u '#${OTHER}'`),
    });
    expect(() => openDatabase(folder)).toThrow(advice);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test.skipIf(!isRoot)("a file that another user put into the folder is refused", async () => {
  for (const name of ["server.json", "parley-server.toml"]) {
    const file = join(folder, name);
    writeFileSync(file, name === "server.json" ? "{}" : 'log-level = "info"');
    chownSync(file, OTHER, OTHER);
    const refused = await run("invite", "create");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(`${file} belongs to`);
    rmSync(file);
  }
});

test.skipIf(!hasOwners)("an own key that every user can read is reported with its mode", async () => {
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  await ownCertificate(files, []);
  expect((await loadCertificate(files)).warning).toBeUndefined();
  chmodSync(files.key, 0o640);
  expect((await loadCertificate(files)).warning).toBeUndefined();
  chmodSync(files.key, 0o644);
  expect((await loadCertificate(files)).warning).toContain(
    `${files.key} can be read by every user of this machine (mode 0644)`,
  );
  expect((await readSmallFile(files.key)).mode).toBe(0o644);
});
