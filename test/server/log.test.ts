// The log: complete lines without secrets, and only warnings and errors on a terminal.
import { mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LogFields, openLog } from "../../server/log.ts";
import { ManualClock } from "../support/manual-clock.ts";

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

test("no character of a name can begin a line, or reach a terminal as it is", async () => {
  const { log, written } = captured(false);
  const name = "a\n{}\r\u0085b\u009b31m\u007f\u202e\u2028\u2029\u{e0041}\ud800\u001b";
  log.info({ event: "log-in refused", username: name }, "log-in refused");
  log.error({ err: new Error(name) }, "call failed");
  expect(written).toHaveLength(2);
  for (const line of written) expect(line).toMatch(/^[\x20-\x7e]*\n$/);
  expect(JSON.parse(written[0] ?? "").username).toBe(name);

  const person = captured(true);
  person.log.error({ err: new Error(name) }, "call failed");
  expect(person.written.join("")).toMatch(/^parley-server: call failed: a\\u\{a\}[\x20-\x7e]*\n$/);
});

test("of lines of one kind 100 are written in ten seconds, and then how many more there were", () => {
  const written: { msg: string; username?: string; count?: number; level: string }[] = [];
  const clock = new ManualClock();
  const writeError = (text: string) => written.push(JSON.parse(text));
  const log = openLog({ level: "info", forPerson: false, writeError, clock });
  const refuse = (index: number) =>
    log.info({ event: "log-in refused", username: `nobody ${index}` }, "refused");
  for (let index = 0; index < 1_000; index++) refuse(index);
  log.warn({}, "something else");
  expect(written.map(({ msg }) => msg)).toEqual([
    ...Array.from({ length: 100 }, () => "refused"),
    "something else",
  ]);
  clock.advance(10_000);
  expect(written.at(-1)).toMatchObject({ level: "info", count: 900, msg: "900 more: log-in refused" });
  refuse(1_000);
  expect(written.at(-1)).toMatchObject({ username: "nobody 1000" });
  for (let index = 0; index < 101; index++) refuse(index);
  log[Symbol.dispose]();
  expect(written.at(-1)).toMatchObject({ count: 2 });
});

test("a full file is renamed, and replaces the one that was renamed before", async () => {
  const file = join(folder, "server.log");
  using log = openLog({
    level: "info",
    file,
    fileBytes: 2_000,
    forPerson: false,
    writeError: () => undefined,
  });
  for (let index = 0; index < 95; index++) log.info({ port: index }, "a line of the log");
  const [now, before] = await Promise.all([readFile(file, "utf8"), readFile(`${file}.1`, "utf8")]);
  expect((await readdir(folder)).sort()).toEqual(["server.log", "server.log.1"]);
  expect(before.length).toBeGreaterThan(1_999);
  expect(before.length + now.length).toBeLessThan(4_200);
  const ports = `${before}${now}`
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).port);
  expect(ports.at(-1)).toBe(94);
  expect(ports).toEqual(Array.from({ length: ports.length }, (_, index) => 95 - ports.length + index));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
