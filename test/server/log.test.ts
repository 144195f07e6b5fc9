// The log: complete lines without secrets, and only warnings and errors on a terminal.
import { mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LogFields, openLog } from "../../server/log.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

function captured(forPerson: boolean, level: "debug" | "info" = "info") {
  const written: string[] = [];
  const log = openLog({ level, forPerson, writeError: (text) => written.push(text) });
  return { log, written };
}

test("a line is JSON with time and level, and lines below the level are dropped", () => {
  const { log, written } = captured(false);
  log.debug({}, "quiet");
  log.info({ event: "log-in", username: "yoda" }, "log-in");
  expect(written).toHaveLength(1);
  expect(JSON.parse(written[0] ?? "")).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    event: "log-in",
    username: "yoda",
    msg: "log-in",
  });
});

test("a secret that bypassed the types is not written", () => {
  const { log, written } = captured(false);
  log.info({ password: "wise@!man", token: "t0ken", text: "hello" } as LogFields, "oops");
  expect(written.join()).not.toMatch(/wise|t0ken|hello/);
});

test("an error is written with its causes and without its other properties", () => {
  const { log, written } = captured(false);
  const error = Object.assign(new Error("refused", { cause: new TypeError("deeper") }), {
    code: "EX",
    request: { password: "wise@!man" },
  });
  log.error({ err: error }, "call failed");
  const { err } = JSON.parse(written[0] ?? "");
  expect(err).toMatchObject({ type: "Error", message: "refused", code: "EX", cause: { type: "TypeError" } });
  expect(written.join()).not.toContain("wise");
  log.error({ err: { password: "wise@!man" } }, "not even an error");
  expect(written.join()).not.toContain("wise");
});

test("on a terminal only warnings and errors are written, as sentences, and each sentence once", () => {
  const { log, written } = captured(true, "debug");
  log.info({}, "log-in");
  log.warn({ file: "x", line: 3 }, "line 3 skipped");
  for (let round = 0; round < 5; round++)
    log.error({ err: new Error("disk full") }, "presence was not stored");
  expect(written).toEqual([
    "parley-server: line 3 skipped\n",
    "parley-server: presence was not stored: disk full\n",
  ]);
});

test("a line is appended to the file immediately, only the owner can read it, and it is opened again after a rotation", async () => {
  const file = join(folder, "server.log");
  const options = { level: "info", file, forPerson: true, writeError: () => undefined } as const;
  const lines = async (name: string) =>
    (await readFile(join(folder, name), "utf8")).trim().split("\n").length;
  {
    using log = openLog(options);
    log.info({}, "one");
  }
  using log = openLog(options);
  log.info({}, "two");
  expect(await lines("server.log")).toBe(2);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await rename(file, join(folder, "old.log"));
  log.reopen();
  log.info({}, "three");
  expect([await lines("old.log"), await lines("server.log")]).toEqual([2, 1]);
});

test("a file that cannot be opened is an error immediately", () => {
  const file = join(folder, "none", "server.log");
  expect(() => openLog({ level: "info", file, forPerson: false, writeError: () => undefined })).toThrow(
    /ENOENT/,
  );
});
