// The server as a process of its own: started by its command, logging to a pipe, ended by a signal or by a kill.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageFile } from "../../../server/package.ts";

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
  const argv = [packageFile("bin/parley-server.js"), "--data", data, "--listen", "127.0.0.1:0", ...flags];
  const child = spawn(process.execPath, argv);
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
      if (/ready[^\n]*\n.*--as NAME\n|ready[^\n]*\n.*password of/s.test(out)) return out;
    }
    throw new Error(`never ready: ${log}`);
  })();
  return { child, ready, ended, log: () => log };
}

test("SIGTERM ends it within 5 s with code 0, and the log is lines of JSON without a password", async () => {
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

test("after SIGKILL the next one starts on the same folder, with the same identity", async () => {
  const first = start();
  const fingerprint = (await first.ready).match(/SHA256:\S+/)?.[0];
  first.child.kill("SIGKILL");
  await first.ended;
  const second = start();
  expect((await second.ready).match(/SHA256:\S+/)?.[0]).toBe(fingerprint);
  second.child.kill("SIGINT");
  expect(await second.ended).toEqual([0, null]);
});

test("a reader of its output that goes away does not end it", async () => {
  const { child, ready, ended, log } = start();
  await ready;
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill("SIGHUP");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(log()).toContain('"started"');
});
