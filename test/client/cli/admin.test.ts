// parley admin: what an administrator does from a client, and what the people who get its links do with them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, parsed, startServer } from "./parley.ts";

let server: TestServer;
let address: string;

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "leia", "hans"] });
  address = `127.0.0.1:${server.port}`;
  await server.store.accounts.setAdministrator("leia", true);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** A home in which this user is logged in. */
async function homeOf(username: string): Promise<Home> {
  const home = await Home.make();
  const argv = ["login", username, "--password-stdin", "--server", address];
  expect(await home.pipe(passwordOf(username), ...argv)).toMatchObject({ code: 0 });
  return home;
}

/** The words of the line that a person pastes. */
const pasted = (line: string): string[] => line.trim().split(" ").slice(1);

test("a user with a forgotten password sets a new one with the link of an administrator", async () => {
  await using leia = await homeOf("leia");
  await using old = await homeOf("yoda");
  const reset = await leia.run("admin", "user", "reset", "yoda");
  expect(reset).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^parley join 127\.0\.0\.1:\d+\/reset\/[\w-]{43}\/SHA256:\S{43}\n$/),
    stderr: expect.stringMatching(/^Send this line to yoda over a private channel\. /),
  });

  await using fresh = await Home.make();
  const join = pasted(reset.stdout);
  const named = await fresh.pipe("a new password", ...join, "yoda", "--password-stdin");
  expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining("Leave out the user name") });
  expect(await fresh.pipe("short", ...join, "--password-stdin")).toMatchObject({ code: 1 });
  expect(await fresh.pipe("a new password", ...join, "--password-stdin")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^Welcome back, yoda: the new password is set, .* Other sessions ended: 1\.\n$/,
    ),
  });
  expect(await fresh.run("whoami")).toMatchObject({ code: 0, stdout: expect.stringContaining("yoda") });
  expect(await old.run("whoami")).toMatchObject({ code: 4 });
  const again = await fresh.pipe("another password", ...join, "--password-stdin");
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("unknown, used or expired") });
});

test("users are added, described, disabled, enabled, logged out and removed", async () => {
  await using leia = await homeOf("leia");
  const admin = async (...words: string[]) => (await leia.run("admin", ...words)).stdout;
  const add = await leia.pipe("a password of rey", "admin", "user", "add", "rey", "--password-stdin");
  expect(add).toMatchObject({ code: 0, stdout: "rey can log in now.\n" });
  expect(await admin("user", "promote", "rey")).toBe("rey is an administrator now.\n");
  expect(await admin("user", "disable", "rey")).toBe("rey cannot log in any more. Sessions ended: 0.\n");
  expect(await admin("user", "list")).toMatch(
    /^hans\nleia {2}administrator\nrey {2}administrator, disabled since .*\nyoda\n$/,
  );
  expect(await admin("user", "enable", "rey")).toBe("rey can log in again.\n");
  expect(await admin("user", "demote", "rey")).toBe("rey is no longer an administrator.\n");
  expect(await admin("user", "unlock", "rey")).toBe("Log-ins of rey are not locked any more.\n");
  expect(await admin("user", "sessions", "leia")).toMatch(/^\* s\d+ {2}/);
  expect(await admin("user", "log-out", "rey")).toBe("Sessions ended: 0.\n");
  expect(await admin("user", "remove", "rey")).toBe("rey is removed.\n");
  const actions = (await admin("actions", "-n", "3")).split("\n");
  expect(actions[0]).toMatch(/ {2}leia \(127\.0\.0\.1\) removed rey$/);
  expect(actions).toHaveLength(4);
});

test("a bot's token is the only line on standard output, and a new one replaces it", async () => {
  await using leia = await homeOf("leia");
  const added = await leia.run("admin", "user", "add", "r2", "--bot");
  expect(added.stdout).toMatch(/^[\w-]{43}\n$/);
  const replaced = await leia.run("admin", "user", "reset", "r2", "--json");
  const token = parsed(replaced.stdout).botToken as { token: string };
  expect(token.token).toMatch(/^[\w-]{43}$/);
  expect(`${token.token}\n`).not.toBe(added.stdout);
});

test("an invite is enough to join, and is listed and revoked by its id", async () => {
  await using leia = await homeOf("leia");
  const created = await leia.run("admin", "invite", "create", "--uses", "2", "--expires", "1h");
  await using finn = await Home.make();
  const joined = await finn.pipe("a password of finn", ...pasted(created.stdout), "finn", "--password-stdin");
  expect(joined).toMatchObject({ code: 0 });
  const list = await leia.run("admin", "invite", "list");
  const [, id = ""] = list.stdout.match(/^([\da-f]{16}) {2}\d uses?, until .*\n$/) ?? [];
  expect(await leia.run("admin", "invite", "revoke", id)).toMatchObject({ code: 0 });
  expect(await leia.run("admin", "invite", "list")).toMatchObject({ code: 0, stdout: "" });
  expect(await leia.run("admin", "invite", "revoke", id)).toMatchObject({ code: 1 });
});

test("the log-ins of one user are listed", async () => {
  await using leia = await homeOf("leia");
  await using hans = await homeOf("hans");
  const { stdout } = await leia.run("admin", "logins", "hans");
  expect(stdout).toMatch(/^.* {2}hans {2}logged in {2}from 127\.0\.0\.1/);
  expect(await hans.run("admin", "logins", "leia")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Only an administrator"),
  });
});

test("an action that does not exist or lacks its name is a usage error", async () => {
  await using leia = await Home.make();
  for (const [words, problem] of [
    [["user", "rest", "yoda"], /Did you mean user reset\?/],
    [["user", "reset"], /Usage: admin user reset NAME/],
    [["user", "list", "yoda"], /Usage: admin user list/],
    [
      ["user", "xyzzy", "yoda"],
      /"xyzzy" is not an action of user\. The actions of user are add, .* and reset\./,
    ],
    [["user"], /Name an action of user: one of add, /],
    [["invites"], /Did you mean invite/],
    [["dance"], /"dance" is not an action\. The actions are user add, .* and actions\./],
  ] as const) {
    expect(await leia.run("admin", ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(problem),
    });
  }
});
