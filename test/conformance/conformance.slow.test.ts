// The whole conformance kit against this server, which is killed and started again, and the kit's own entry.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { connectInPieces } from "../../conformance/client/one-piece.ts";
import { run } from "../../conformance/run.ts";
import { TestServer } from "../support/server.ts";
import { ServerProcess } from "../support/server-process.ts";
import { plaintextServer, usernames, users } from "./fixture.ts";

const main = fileURLToPath(new URL("../../conformance/main.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function kit(...argv: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("this server passes every check, including those over a kill", { timeout: 120_000 }, async () => {
  await using server = await ServerProcess.start(usernames);
  const account = (username: string) => ({ username, password: `${username} has a password` });
  const results = await run({
    server: plaintextServer(server.port),
    users: { ann: account("ann"), ben: account("ben"), cat: account("cat") },
    restart: async () => {
      await server.kill("SIGKILL");
      await server.start();
    },
    checks,
  });
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  const skipped = results.flatMap(({ status, name, why }) => (status === "skipped" ? [[name, why]] : []));
  expect(skipped).toEqual([["limits.idle-timeout", "the server announces no idle_timeout"]]);
});

test("the kit waits for the time-out that a server announces", async () => {
  await using server = await TestServer.start({ users: usernames, idleTimeoutMs: 1_000 });
  const results = await run({
    server: plaintextServer(server.port),
    users,
    checks: checks.filter(({ name }) => name === "limits.idle-timeout"),
  });
  expect(results).toMatchObject([{ status: "passed" }]);
});

test("the kit calls a server that limits the rate of calls again after its delay", {
  timeout: 60_000,
}, async () => {
  await using server = await TestServer.start({ users: usernames, callRate: 50 });
  const results = await run({
    server: plaintextServer(server.port),
    users,
    checks: checks.filter(({ name }) => name.startsWith("once.") || name.startsWith("refusals.")),
  });
  expect(results.filter(({ status }) => status !== "passed")).toEqual([]);
});

test("a server that is not started again fails the remaining checks, and the run continues to its end", async () => {
  await using server = await TestServer.start({ users: usernames });
  const results = await run({
    server: plaintextServer(server.port, 500),
    users,
    restart: () => server.stop(),
    checks: checks.filter(({ name }) => name.startsWith("restart.") || name === "order.of-commands"),
  });
  const before = results.filter(({ name }) => name === "order.of-commands");
  expect(before).toMatchObject([{ status: "passed" }]);
  const after = results.filter((result) => !before.includes(result));
  expect(after.length).toBeGreaterThan(1);
  for (const { status, came } of after) {
    expect(status).toBe("failed");
    expect(came).not.toBe("");
  }
});

test("joining messages in one DATA frame reports an unreachable server, and survives one that disconnects", async () => {
  const unreachable = { ...plaintextServer(1, 500) };
  await expect(connectInPieces(unreachable, "", new Uint8Array())).rejects.toMatchObject({
    kind: "unreachable",
  });
  await using server = await TestServer.start({ users: usernames });
  using call = await connectInPieces(plaintextServer(server.port, 500), "no token", new Uint8Array());
  await server.stop();
  call.write([new Uint8Array()]);
});

test("the entry of the kit prints to its streams, sets the exit code, and runs the restart command", async () => {
  await using server = await TestServer.start({ users: usernames });
  const file = join(server.folder, "users.txt");
  await writeFile(file, usernames.map((name) => `${name} password of ${name}\n`).join(""));
  const given = ["--target", `127.0.0.1:${server.port}`, "--plaintext", "--users", file];
  const passed = await kit(...given, "--only", "once.reused");
  expect(passed).toMatchObject({ code: 0, stderr: "" });
  expect(passed.stdout).toMatch(/^passed {3}once\.reused .*\n\n1 passed, 0 failed, 0 skipped\n$/);
  const notRestarted = await kit(...given, "--only", "restart.goes-on", "--restart", "exit 3");
  expect(notRestarted.code).toBe(2);
  expect(notRestarted.stderr).toContain("--restart: the command failed with 3");
});
