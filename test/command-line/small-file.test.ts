// Files that a person names: what is not a regular file of a bounded size is refused at once.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSmallFile } from "../../command-line/small-file.ts";
import { loadCertificate, ownCertificate } from "../../server/files/certificate.ts";
import { parseCredentials, readCredentials } from "../../server/files/credentials-file.ts";
import { readServerFile } from "../../server/files/server-file.ts";
import { loadConfig } from "../../server/settings/config.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-files-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} };

/** Each way in which the server reads a file at its start. */
const readers: readonly [string, (file: string) => Promise<unknown>][] = [
  ["credentials", (file) => readCredentials(file, silent)],
  ["settings", (file) => loadConfig({ flags: new Map([["config", [file]]]), env: {} })],
  ["certificate", (file) => loadCertificate({ cert: file, key: file })],
  ["own key", (file) => ownCertificate({ cert: join(folder, "none.pem"), key: file }, [])],
  ["server.json", (file) => readServerFile(file)],
];

test.skipIf(process.platform === "win32").each(readers)(
  "%s: a pipe, a device and a folder",
  async (_what, read) => {
    const pipe = join(folder, "pipe");
    rmSync(pipe, { force: true });
    execFileSync("mkfifo", [pipe]);
    await expect(read(pipe)).rejects.toThrow("not a regular file");
    await expect(read("/dev/zero")).rejects.toThrow("not a regular file");
    await expect(read(folder)).rejects.toThrow("a folder");
  },
);

test.each(readers)("%s: a file that is too long", async (_what, read) => {
  const file = join(folder, "long");
  writeFileSync(file, "");
  truncateSync(file, 20 * 1024 * 1024);
  await expect(read(file)).rejects.toThrow(/longer than \d+ bytes/);
});

test("a whole file is read", async () => {
  const file = join(folder, "users.txt");
  const lines = Array.from({ length: 20_000 }, (_, at) => `user${at} password${at}\n`).join("");
  writeFileSync(file, lines, { mode: 0o640 });
  const { text, mode } = await readSmallFile(file);
  expect(mode).toBe(0o640);
  expect(parseCredentials(text).credentials).toHaveLength(20_000);
});
