// The server as a process: started by its command, logging to a pipe, ended by a signal or a kill.
import {
  type ChildProcessWithoutNullStreams,
  type SpawnOptionsWithoutStdio,
  spawn,
} from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packageFile } from "../../../server/files/package.ts";

let data: string;
let started: ChildProcessWithoutNullStreams[];
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-process-"));
  started = [];
});
afterEach(async () => {
  for (const child of started) child.kill("SIGKILL");
  await rm(data, { recursive: true });
});

function start(...flags: string[]) {
  return launch(["--data", data, "--listen", "127.0.0.1:0", ...flags]);
}

function launch(argv: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
  const child = spawn(process.execPath, [packageFile("bin/parley-server.js"), ...argv], options);
  started.push(child);
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ready = (async () => {
    let out = "";
    for await (const text of child.stdout.setEncoding("utf8")) {
      out += text;
      if (
        /ready[^\n]*\n.*--as NAME\n|ready[^\n]*\n.*(?:password of|users of the file can talk.*\n\n {2})/s.test(
          out,
        )
      )
        return out;
    }
    throw new Error(`the server ended before it was ready: ${log}`);
  })();
  return { child, ready, ended, log: () => log };
}

test("SIGTERM ends it within 5 s with code 0, and the log is JSON without passwords", async () => {
  const { child, ready, ended, log } = start("--credentials", packageFile("docs/credentials.txt"));
  expect(await ready).toContain("wise@!man");
  const before = performance.now();
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - before).toBeLessThan(5000);
  const events = log()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).event);
  expect(events).toEqual(["users imported", "started", "stopping"]);
  expect(log()).not.toContain("wise@!man");
});

test("after SIGKILL the next server starts on the same folder with the same certificate", async () => {
  const first = start();
  const fingerprint = (await first.ready).match(/SHA256:\S+/)?.[0];
  first.child.kill("SIGKILL");
  await first.ended;
  const second = start();
  expect((await second.ready).match(/SHA256:\S+/)?.[0]).toBe(fingerprint);
  second.child.kill("SIGINT");
  expect(await second.ended).toEqual([0, null]);
});

test("it continues when the reader of its output closes it", async () => {
  const { child, ready, ended, log } = start();
  await ready;
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill("SIGHUP");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(log()).toContain('"started"');
});

describe("with the original's command line", () => {
  let temporary: string;
  let current: string;
  beforeEach(async () => {
    temporary = join(data, "tmp");
    current = join(data, "current");
    await mkdir(temporary);
    await mkdir(current);
  });

  const original = (...argv: string[]) => {
    // Without a compile cache, which would be another folder in TMPDIR.
    const env = { PATH: process.env.PATH, HOME: data, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: "1" };
    return launch(argv, { cwd: current, env });
  };

  /** The output of a command that runs beside the server. */
  async function outputOf(...argv: string[]): Promise<string> {
    const child = spawn(process.execPath, [packageFile("bin/parley-server.js"), ...argv]);
    started.push(child);
    let out = "";
    for await (const text of child.stdout.setEncoding("utf8")) out += text;
    return out;
  }

  test.each(["SIGTERM", "SIGINT"] as const)(
    "the users are those of the current folder, and %s deletes the temporary folder",
    async (signal) => {
      await writeFile(join(current, "credentials.txt"), "kim k\r\nlee l");
      const { ready, child, ended } = original("--ephemeral", "0", "60", "120", "--lock", "spare-known");
      const block = await ready;
      expect(block).toMatch(/ {2}rules +the original's, except --lock: [\s\S]*, users of credentials\.txt\n/);
      const folder = /data +(\S+) {2}\(deleted at the end\)\n/.exec(block)?.[1] ?? "";
      expect(await readdir(temporary)).toEqual([basename(folder)]);
      expect(await outputOf("user", "list", "--data", folder)).toBe("kim\nlee\n");
      child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(await readdir(temporary)).toEqual([]);
    },
  );
});
