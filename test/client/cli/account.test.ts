// The account commands: log in, list and end sessions, change the password, sign up, and log out.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { passwordOf, TestServer } from "../../support/server.ts";
import { Home, parsed, startServer } from "./parley.ts";

let server: TestServer;
let address: string;

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia"] });
  address = `127.0.0.1:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test("a log-in is stored for all commands until the log-out", async () => {
  await using home = await Home.make();
  const before = await home.run("whoami", "--server", address);
  expect(before).toMatchObject({ code: 4, stdout: "" });
  expect(before.stderr).toBe(
    `You are not logged in at ${address}. Run: parley login USER --server ${address}\n`,
  );

  const login = await home.pipe(
    `${passwordOf("yoda")}\r\nnot read\n`,
    "login",
    "yoda",
    "--server",
    address,
    "--password-stdin",
  );
  expect(login).toMatchObject({ code: 0, stdout: `Logged in at ${address} as yoda.\n` });
  expect(login.stderr).toMatch(
    /^New server on this machine: \S+\. Its key is remembered: SHA256:[\w+/]{43}\n$/,
  );

  const [who, token, session] = await Promise.all([
    home.run("whoami", "--json"),
    home.run("token"),
    home.run("token", "--json"),
  ]);
  expect(who).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(who.stdout)).toMatchObject({ user: { username: "yoda" }, sessions: [{ current: true }] });
  expect(token).toMatchObject({ code: 0, stderr: "" });
  expect(token.stdout).toMatch(/^[\w-]{43}\n$/);
  expect(parsed(session.stdout)).toMatchObject({ token: token.stdout.trim(), user: { username: "yoda" } });
  expect(session.stdout).not.toContain("deviceSecret");

  const logout = await home.run("logout");
  expect(logout).toMatchObject({ code: 0, stdout: `yoda is logged out of ${address}.\n`, stderr: "" });
  const after = await home.run("whoami");
  expect(after).toMatchObject({ code: 4, stdout: "" });
  expect(after.stderr).toContain(
    `yoda is not logged in at ${address}. Run: parley login yoda --server ${address}`,
  );
});

test("a wrong password and an unknown user have the same error, a missing password has another", async () => {
  await using home = await Home.make();
  const [wrong, unknown, none, empty] = await Promise.all([
    home.pipe("nonsense\n", "login", "yoda", "--password-stdin", "--server", address),
    home.pipe("nonsense\n", "login", "nobody", "--password-stdin", "--server", address),
    home.run("login", "yoda", "--server", address),
    home.run("login", "yoda", "--password-stdin", "--server", address),
  ]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("User name or password is wrong. (CREDENTIALS_WRONG)");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain("User name or password is wrong. (CREDENTIALS_WRONG)");
  expect(none).toMatchObject({ code: 2, stdout: "" });
  expect(none.stderr).toContain("--password-stdin");
  expect(empty.code).toBe(2);
});

test("a byte order mark before a password on standard input is not part of the password", async () => {
  await using home = await Home.make();
  const flags = ["--server", address, "--password-stdin"];
  const login = await home.pipe(`\ufeff${passwordOf("yoda")}\r\n`, "login", "yoda", ...flags);
  expect(login).toMatchObject({ code: 0, stdout: `Logged in at ${address} as yoda.\n` });
});

test("--as selects the profile; without it the profile used last is selected", async () => {
  await using home = await Home.make();
  await home.logIn("yoda", server);
  await home.logIn("luke", server);
  const name = async (...flags: string[]): Promise<string> =>
    (await home.run("whoami", ...flags)).stdout.split(" ")[0] ?? "";
  expect(await name()).toBe("luke");
  expect(await name("--as", "yoda")).toBe("yoda");
  expect(await name()).toBe("yoda");
  expect(await name("--server", address)).toBe("yoda");
  expect(await home.run("whoami", "--as", "leia")).toMatchObject({ code: 4 });
});

test("only its user can read the state folder", async () => {
  await using home = await Home.make();
  await home.logIn("yoda", server);
  expect((await stat(home.folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(home.folder, "state.db"))).mode & 0o777).toBe(0o600);
});

test("sessions lists the sessions, and revoke logs out another device", async () => {
  await using phone = await Home.make();
  await using laptop = await Home.make();
  await phone.logIn("luke", server);
  await laptop.logIn("luke", server);
  const sessions = (await laptop.run("sessions", "--json")).lines.map(parsed);
  const [mine] = sessions.filter(({ current }) => current === true);
  const other = sessions.find(({ current }) => current !== true);
  expect(mine).toMatchObject({ client: { name: "parley" } });
  const shown = await laptop.run("sessions");
  expect(shown.lines.filter((line) => line.startsWith(`* ${String(mine?.sessionId)} `))).toHaveLength(1);

  expect(await laptop.run("revoke", String(other?.sessionId))).toMatchObject({ code: 0 });
  const revoked = await phone.run("who");
  expect(revoked).toMatchObject({ code: 4, stdout: "" });
  expect(revoked.stderr).toContain("parley login luke");
  expect(await laptop.run("revoke", "no-such-session")).toMatchObject({ code: 1 });
  // The session has ended already, and logout succeeds.
  expect(await phone.run("logout")).toMatchObject({ code: 0 });
});

test("devices all lists every device, and devices remove ends the sessions of one", async () => {
  await using phone = await Home.make();
  await using laptop = await Home.make();
  await phone.logIn("luke", server);
  await laptop.logIn("luke", server);
  const devices = (await laptop.run("devices", "all", "--json")).lines.map(parsed);
  const [mine] = devices.filter(({ current }) => current === true);
  const phones = (await phone.run("devices", "all", "--json")).lines.map(parsed);
  const other = phones.find(({ current }) => current === true);
  const shown = await laptop.run("devices", "all");
  expect(shown.lines.filter((line) => line.startsWith(`* ${String(mine?.deviceId)} `))).toHaveLength(1);
  const removed = await laptop.run("devices", "remove", String(other?.deviceId));
  expect(removed.stdout).toBe(`Device ${String(other?.deviceId)} is removed. Sessions ended: 1.\n`);
  expect(await phone.run("who")).toMatchObject({ code: 4, stdout: "" });
  expect(await laptop.run("devices", "remove", String(other?.deviceId))).toMatchObject({ code: 1 });
  expect(await laptop.run("devices", "remove")).toMatchObject({ code: 2 });
  // The next log-in gets a new device.
  await phone.logIn("luke", server);
  // The device of this program: it is logged out.
  expect(await laptop.run("devices", "remove", String(mine?.deviceId))).toMatchObject({ code: 0 });
  expect(await laptop.run("whoami")).toMatchObject({ code: 4 });
});

test("account delete removes the account after a check of the password", async () => {
  await using own = await TestServer.start({ users: ["luke", "hans"] });
  await using home = await Home.make();
  await home.logIn("hans", own, "--plaintext");
  await home.logIn("luke", own, "--plaintext");
  expect(await home.run("account", "delete")).toMatchObject({ code: 2, stdout: "" });
  expect(await home.run("account", "forget")).toMatchObject({ code: 2, stdout: "" });
  expect(await home.pipe("wrong\n", "account", "delete", "--password-stdin")).toMatchObject({ code: 1 });
  expect(await home.run("whoami")).toMatchObject({ code: 0 });
  const deleted = await home.pipe(`${passwordOf("luke")}\n`, "account", "delete", "--password-stdin");
  expect(deleted).toMatchObject({ code: 0, stdout: "The account luke is deleted.\n" });
  // Commands are those of the other user from now on.
  expect(await home.run("whoami")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hans at /) });
  expect(await home.run("whoami", "--as", "luke")).toMatchObject({ code: 4 });
  await expect(own.logIn("luke")).rejects.toMatchObject({ reason: "CREDENTIALS_WRONG" });
});

test("passwd ends the other sessions; this session and the new password work", async () => {
  await using home = await Home.make();
  await using other = await Home.make();
  await home.logIn("leia", server);
  await other.logIn("leia", server);
  const wrong = await home.pipe("nonsense\nalderaan was here\n", "passwd", "--password-stdin");
  expect(wrong.code).toBe(1);
  expect(await home.pipe(`${passwordOf("leia")}\n`, "passwd", "--password-stdin")).toMatchObject({ code: 2 });
  expect(await home.run("passwd")).toMatchObject({ code: 2, stdout: "" });
  const changed = await home.pipe(
    `${passwordOf("leia")}\nalderaan was here`,
    "passwd",
    "--password-stdin",
    "--json",
  );
  expect(changed).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(changed.stdout)).toEqual({ endedSessions: 1 });
  expect(await home.run("whoami")).toMatchObject({ code: 0 });
  expect(await other.run("whoami")).toMatchObject({ code: 4 });
  const login = await other.pipe("alderaan was here", "login", "leia", "--password-stdin", "--json");
  expect(login).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(login.stdout)).toMatchObject({ user: { username: "leia" } });
  expect(login.stdout).not.toMatch(/token|deviceSecret/);
});

test("signup creates an account, and refuses a name that is taken", async () => {
  await using home = await Home.make();
  const flags = ["--server", address, "--password-stdin"];
  const signup = await home.pipe("a password of rey", "signup", "rey", ...flags, "--json");
  expect(signup.code).toBe(0);
  expect(parsed(signup.stdout)).toMatchObject({ user: { username: "rey" } });
  expect(await home.run("whoami")).toMatchObject({ code: 0 });
  const taken = await home.pipe("another password", "signup", "REY", ...flags);
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain("(USERNAME_TAKEN)");
  const short = await home.pipe("short", "signup", "finn", ...flags);
  expect(short.stderr).toContain("(PASSWORD_INVALID)");
});
