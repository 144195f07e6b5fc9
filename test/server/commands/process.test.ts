// The server as a process of its own: started by its command, logging to a pipe, ended by a signal or by a kill.
import {
  type ChildProcessWithoutNullStreams,
  type SpawnOptionsWithoutStdio,
  spawn,
} from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { probe } from "../../../rpc/dialling/dial.ts";
import { canListen } from "../../../rpc/network/all-interfaces.ts";
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

describe("by the original's command line", () => {
  let temporary: string;
  let current: string;
  beforeEach(async () => {
    temporary = join(data, "tmp");
    current = join(data, "current");
    await mkdir(temporary);
    await mkdir(current);
  });

  const original = (...argv: string[]) => {
    // Node's compile cache would lie beside the folder that is looked for.
    const env = { PATH: process.env.PATH, HOME: data, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: "1" };
    return launch(argv, { cwd: current, env });
  };

  /** What a command beside the server prints. */
  async function outputOf(...argv: string[]): Promise<string> {
    const child = spawn(process.execPath, [packageFile("bin/parley-server.js"), ...argv]);
    started.push(child);
    let out = "";
    for await (const text of child.stdout.setEncoding("utf8")) out += text;
    return out;
  }

  test("one line says the rules, and it is reached on every interface", async () => {
    const { ready, child, ended } = original("0", "60", "120", "--ephemeral");
    const block = await ready;
    expect(block.split("\n").filter((line) => line.startsWith("  rules "))).toEqual([
      "  rules        the original's: all interfaces, 1 session a user, strict lock for 60 s, " +
        "time-out after 120 s, no presence grace, users of docs/credentials.txt",
    ]);
    const port = /address +\S+:(\d+)/.exec(block)?.[1] ?? "";
    expect(block).toContain(`\n  npx parley 127.0.0.1 ${port}\n`);
    expect(block).toContain("The password of hans is falcon*solo and that of yoda is wise@!man");
    expect(block).toContain("WARNING: the passwords of hans, yoda, ");
    const fingerprint = /SHA256:\S+/.exec(block)?.[0];
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, scopeid }) => family === "IPv4" || !scopeid)
      .map(({ family, address }) => (family === "IPv4" ? address : `[${address}]`));
    expect(addresses).toContain("127.0.0.1");
    expect(addresses.includes("[::1]")).toBe(await canListen("::1"));
    for (const address of addresses) {
      expect((await probe(`${address}:${port}`, { timeoutMs: 5000 })).fingerprint, address).toBe(fingerprint);
    }
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "the users are those of the current folder, and after %s the temporary folder is gone",
    async (signal) => {
      await writeFile(join(current, "credentials.txt"), "kim k\r\nlee l");
      const { ready, child, ended } = original("--ephemeral", "0", "60", "120", "--lock", "spare-known");
      const block = await ready;
      expect(block).toMatch(/ {2}rules +the original's, but for --lock: .*, users of credentials\.txt\n/);
      const folder = /data +(\S+) {2}\(deleted at the end\)\n/.exec(block)?.[1] ?? "";
      expect(await readdir(temporary)).toEqual([basename(folder)]);
      expect(await outputOf("user", "list", "--data", folder)).toBe("kim\nlee\n");
      child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(await readdir(temporary)).toEqual([]);
    },
  );

  test("without --ephemeral the data stays, in the platform's folder", async () => {
    const { ready, child, ended } = original("0", "60", "0");
    const block = await ready;
    expect(block).toContain("strict lock for 60 s, no time-out, ");
    const folder = /data +(\S+)\n/.exec(block)?.[1] ?? "";
    expect(folder.startsWith(data)).toBe(true);
    child.kill("SIGTERM");
    await ended;
    expect(await readdir(folder)).toContain("parley.db");
  });
});
