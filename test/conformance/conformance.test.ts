// The conformance kit finds nothing wrong with this server, killed and started again in the middle; and its command says so.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { connectInPieces } from "../../conformance/client/one-piece.ts";
import type { People } from "../../conformance/people.ts";
import { run } from "../../conformance/run.ts";
import { certificate } from "../client/cli/parley.ts";
import { TestServer } from "../support/server.ts";
import { ServerProcess } from "../support/server-process.ts";
import { people, usernames } from "./people.ts";
import { TamperingProxy } from "./tampering-proxy.ts";

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

test("this server passes every check, those over a kill included", { timeout: 120_000 }, async () => {
  await using server = await ServerProcess.start(usernames);
  const asThere = (username: string) => ({ username, password: `${username} has a password` });
  const results = await run({
    server: { address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" }, patienceMs: 20_000 },
    people: { ann: asThere("ann"), ben: asThere("ben"), cat: asThere("cat") } satisfies People,
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

test("a server that does not come back fails the checks, and the run goes on to its end", async () => {
  await using server = await TestServer.start({ users: usernames });
  const results = await run({
    server: { address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" }, patienceMs: 500 },
    people,
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

test("a server that is gone, or hangs up, when frames are to be joined is no fault of the kit", async () => {
  const trust = { kind: "plaintext" } as const;
  const gone = { address: "127.0.0.1:1", trust, patienceMs: 500 };
  await expect(connectInPieces(gone, "", new Uint8Array())).rejects.toMatchObject({ kind: "unreachable" });
  await using server = await TestServer.start({ users: usernames });
  const there = { ...gone, address: `127.0.0.1:${server.port}` };
  using call = await connectInPieces(there, "no token", new Uint8Array());
  await server.stop();
  call.write([new Uint8Array()]);
});

test("a time-out that the server announces is waited for", async () => {
  await using server = await TestServer.start({ users: usernames, idleTimeoutMs: 1_000 });
  const results = await run({
    server: { address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" }, patienceMs: 20_000 },
    people,
    checks: checks.filter(({ name }) => name === "limits.idle-timeout"),
  });
  expect(results).toMatchObject([{ status: "passed" }]);
});

test("what cannot be checked is skipped, with the reason: a server of one session each, without a restart", async () => {
  await using server = await TestServer.start({
    users: usernames,
    sessionsPerUser: 1,
    presenceGraceMs: 3_600_000,
  });
  const names = ["ack.in-place", "presence.come-and-go", "presence.devices", "restart.goes-on"];
  const results = await run({
    server: { address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" }, patienceMs: 20_000 },
    people,
    checks: checks.filter(({ name }) => names.includes(name)),
  });
  expect(results.map(({ name, status, why }) => [name, why ?? status])).toEqual([
    ["ack.in-place", "passed"],
    ["presence.come-and-go", "passed"],
    ["presence.devices", "the server allows no further session of one user at once"],
    ["restart.goes-on", "nobody has said how to restart the server (--restart)"],
  ]);
});

test("the command prints a row for each check and a sum, and its exit code says whether one failed", async () => {
  await using server = await TestServer.start({ users: usernames, signUp: "open" });
  const target = ["--target", `127.0.0.1:${server.port}`, "--plaintext"];
  const users = join(server.folder, "users.txt");
  await writeFile(users, usernames.map((name) => `${name} password of ${name}\n`).join(""));
  const passed = await kit(...target, "--users", users, "--only", "once.reused", "--only", "restart.goes-on");
  expect(passed).toMatchObject({ code: 0, stderr: "" });
  expect(passed.stdout).toMatch(/^passed {3}once\.reused .*$/m);
  expect(passed.stdout).toMatch(/^skipped {2}restart\.goes-on .*\n +because +nobody has said/m);
  expect(passed.stdout).toMatch(/\n1 passed, 0 failed, 1 skipped\n$/);

  const signedUp = await kit(...target, "--sign-up", "--only", "unknown", "--json");
  expect(signedUp.code).toBe(0);
  expect(JSON.parse(signedUp.stdout)).toMatchObject({ passed: 4, failed: 0, skipped: 0 });

  // A server that answers every call with nothing.
  using proxy = await TamperingProxy.to(server.port, {
    unary: async ({ name, forward }) => (name === "SendMessage" ? new Uint8Array() : forward()),
  });
  const failed = await kit(
    ...["--target", `127.0.0.1:${proxy.port}`, "--plaintext", "--user", "ann:password of ann"],
    ...["--user", "ben:password of ben", "--user", "cat:password of cat", "--only", "once.reused"],
  );
  expect(failed).toMatchObject({ code: 1, stderr: "" });
  expect(failed.stdout).toMatch(/FAILED {3}once\.reused .*\n +expected .*\n +came .*\n +contract +/);
});

test("nothing is said of the server where no check was made", async () => {
  await using server = await TestServer.start({ users: usernames });
  const users = join(server.folder, "users.txt");
  await writeFile(users, usernames.map((name) => `${name} password of ${name}\n`).join(""));
  const given = ["--target", `127.0.0.1:${server.port}`, "--plaintext", "--users", users];
  const skipped = await kit(...given, "--only", "restart.goes-on");
  expect(skipped).toMatchObject({ code: 2, stderr: "" });
  expect(skipped.stdout).toMatch(/\n0 passed, 0 failed, 1 skipped\n$/);
  const notRestarted = await kit(...given, "--only", "restart.goes-on", "--restart", "exit 3");
  expect(notRestarted.code).toBe(2);
  expect(notRestarted.stderr).toContain("--restart: the command ended with 3");
  await writeFile(users, "ann password of ann\nben another\ncat password of cat\n");
  const wrong = await kit(...given, "--only", "once");
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("LogIn of ben is answered with: User name or password is wrong.");
});

test("a server that puts calls off is asked again when it says so", { timeout: 60_000 }, async () => {
  await using server = await TestServer.start({ users: usernames, callRate: 50 });
  const results = await run({
    server: { address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" }, patienceMs: 20_000 },
    people,
    checks: checks.filter(({ name }) => name.startsWith("once.") || name.startsWith("refusals.")),
  });
  expect(results.filter(({ status }) => status !== "passed")).toEqual([]);
});

test("what keeps it from a connection is said, with what would help", async () => {
  await using server = await TestServer.start({ users: usernames, tls: await certificate() });
  const target = ["--target", `127.0.0.1:${server.port}`, "--sign-up"];
  const said = async (...argv: string[]): Promise<string> => {
    const ended = await kit(...argv);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    return ended.stderr;
  };
  expect(await said(...target, "--plaintext")).toContain("speaks TLS, and plaintext was asked for.");
  expect(await said(...target)).toMatch(/does not verify: .*\. Say by --ca or --fingerprint/);
  const pem = join(server.folder, "ca.pem");
  expect(await said(...target, "--ca", pem)).toContain(
    `--ca: ${pem} cannot be read: no such file or directory.`,
  );
  await writeFile(pem, "nothing");
  expect(await said(...target, "--ca", pem)).toContain("holds no certificate in PEM.");
  expect(await said("--target", "127.0.0.1:1", "--plaintext", "--users", "/nope")).toContain(
    "--users: /nope cannot be read",
  );
});

test("the command says what is wrong with its arguments, and with what it cannot reach", async () => {
  const usage = await kit("--target", "127.0.0.1:1", "--plaintext");
  expect(usage).toMatchObject({ code: 2, stdout: "" });
  expect(usage.stderr).toContain("Say where the users come from");
  const unknown = await kit("--only", "resume.everything");
  expect(unknown.stderr).toContain('no check or group "resume.everything"');
  const unreachable = await kit("--target", "127.0.0.1:1", "--fingerprint", "SHA256:x", "--sign-up");
  expect(unreachable).toMatchObject({ code: 2 });
  expect(unreachable.stderr).toContain("No check could be made");
  const list = await kit("--list", "--only", "once");
  expect(list.stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
    "once.repeated",
    "once.reused",
    "once.ids",
    "once.per-device",
    "",
  ]);
  expect((await kit("--help")).stdout).toContain("--restart CMD");
});
