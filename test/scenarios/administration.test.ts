// Administration: forgotten passwords, disabled users, bots, invites, locks, and the record of what was changed.
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { AdminActionKind } from "../../gen/parley/chat/v1/admin_service.ts";
import { LogInOutcome } from "../../gen/parley/chat/v1/auth_service.ts";
import { runCommandLine } from "../../server/commands/run-command.ts";
import { openAccounts } from "../../server/store/engines.ts";
import { fakeIo } from "../server/commands/fake-io.ts";
import { CHEAP } from "../support/cheap-passwords.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passwordOf, TestServer, type TestServerOptions } from "../support/server.ts";

const started: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one[Symbol.asyncDispose]();
});

const DAY_MS = 86_400_000;

/** A server whose users are yoda, hans and the administrator leia, and leia's calls of AdminService. */
async function start(options: TestServerOptions = {}) {
  const server = await TestServer.start({ users: ["yoda", "hans", "leia"], ...options });
  started.push(server);
  await server.store.accounts.setAdministrator("leia", true);
  const leia = await server.logIn("leia");
  return { server, leia, admin: adminOf(leia) };
}

type Page = { pageSize: number; pageToken: string };
const firstPage: Page = { pageSize: 0, pageToken: "" };

function adminOf(client: TestClient) {
  const { admin } = client;
  return {
    add: (username: string, password: string, bot = false) =>
      client.unary(admin, admin.addUser, { username, password, bot }),
    accounts: (page = firstPage) => client.unary(admin, admin.listAccounts, page),
    remove: (username: string) => client.unary(admin, admin.removeUser, { username }),
    administrator: (username: string, administrator: boolean) =>
      client.unary(admin, admin.setAdministrator, { username, administrator }),
    disable: (username: string, disabled = true) =>
      client.unary(admin, admin.setDisabled, { username, disabled }),
    unlock: (username: string) => client.unary(admin, admin.unlockUser, { username }),
    sessions: (username: string) => client.unary(admin, admin.listUserSessions, { username, ...firstPage }),
    logOut: (username: string) => client.unary(admin, admin.endUserSessions, { username }),
    reset: async (username: string) => {
      const { result } = await client.unary(admin, admin.resetUser, { username });
      return result?.$case === "passwordReset" ? result.value.reset : (result?.value.token ?? "");
    },
    invite: (uses = 0, lifetimeSeconds = 0) =>
      client.unary(admin, admin.createInvite, { uses, lifetimeSeconds }),
    invites: (page = firstPage) => client.unary(admin, admin.listInvites, page),
    revoke: (inviteId: string) => client.unary(admin, admin.revokeInvite, { inviteId }),
    actions: async (page = firstPage) => (await client.unary(admin, admin.listAdminActions, page)).actions,
  };
}

function resetWith(client: TestClient, reset: string, newPassword: string) {
  return client.unary(client.auth, client.auth.resetPassword, { reset, newPassword, client: undefined });
}

async function outcomes(client: TestClient, username: string): Promise<LogInOutcome[]> {
  const request = { ...firstPage, allUsers: false, username };
  const { logIns } = await client.unary(client.auth, client.auth.listLogIns, request);
  return logIns.map(({ outcome }) => outcome);
}

test("only administrators can administer", async () => {
  const { server, admin } = await start();
  const yoda = adminOf(await server.logIn("yoda"));
  const attempts = [
    yoda.add("rey", "a long password"),
    yoda.accounts(),
    yoda.remove("hans"),
    yoda.administrator("yoda", true),
    yoda.disable("hans"),
    yoda.unlock("yoda"),
    yoda.sessions("hans"),
    yoda.logOut("hans"),
    yoda.reset("hans"),
    yoda.invite(),
    yoda.invites(),
    yoda.revoke("0123456789abcdef"),
    yoda.actions(),
  ];
  const reasons = await Promise.all(attempts.map(reasonOf));
  expect(reasons).toEqual(attempts.map(() => "ADMINISTRATORS_ONLY"));
  expect(await reasonOf(adminOf(server.anonymous()).accounts())).toBe("TOKEN_MISSING");
  expect(await admin.actions()).toEqual([]);
  await admin.administrator("yoda", true);
  expect((await yoda.accounts()).accounts.map(({ user }) => user?.username)).toEqual([
    "hans",
    "leia",
    "yoda",
  ]);
});

test("a forgotten password is replaced once, and every other session and its streams end", async () => {
  const { server, leia, admin } = await start();
  const yoda = await server.logIn("yoda");
  const stream = await yoda.connect().caughtUp();
  const reset = await admin.reset("yoda");
  expect(reset).toMatch(/^[\w-]{43}$/);
  // Nothing has changed until the secret is used.
  await yoda.whoelse();

  const phone = server.anonymous();
  expect(await reasonOf(resetWith(phone, reset, "short"))).toBe("PASSWORD_INVALID");
  const { grant, endedSessions } = await resetWith(phone, reset, "a password to remember");
  expect({ user: grant?.user?.username, endedSessions }).toEqual({ user: "yoda", endedSessions: 1 });
  phone.grant = grant;
  expect(await phone.whoelse()).toEqual([]);
  expect((await stream.ended)?.reason).toBe("SESSION_ENDED");
  expect(await reasonOf(yoda.whoelse())).toBe("TOKEN_INVALID");

  expect(await reasonOf(resetWith(phone, reset, "another password"))).toBe("RESET_INVALID");
  expect(await reasonOf(server.logIn("yoda"))).toBe("CREDENTIALS_WRONG");
  await server.anonymous().logIn("yoda", "a password to remember");
  expect(await outcomes(leia, "yoda")).toEqual([
    LogInOutcome.LOGGED_IN,
    LogInOutcome.WRONG_PASSWORD,
    LogInOutcome.PASSWORD_RESET,
    LogInOutcome.LOGGED_IN,
  ]);
});

test("a reset is valid for 24 hours, and a newer one replaces it", async () => {
  const clock = new ManualClock();
  const { server, admin } = await start({ clock, sessionLifetimeMs: 10 * DAY_MS });
  const anyone = server.anonymous();
  const first = await admin.reset("yoda");
  const second = await admin.reset("yoda");
  expect(await reasonOf(resetWith(anyone, first, "a long password"))).toBe("RESET_INVALID");
  clock.setWallClock(clock.now() + DAY_MS);
  expect(await reasonOf(resetWith(anyone, second, "a long password"))).toBe("RESET_INVALID");
  const third = await admin.reset("yoda");
  clock.setWallClock(clock.now() + DAY_MS - 1);
  await resetWith(anyone, third, "a long password");
  expect(await reasonOf(resetWith(anyone, "x".repeat(43), "a long password"))).toBe("RESET_INVALID");
});

test("a user who changes the password makes an earlier reset unusable", async () => {
  const { server, admin } = await start();
  const yoda = await server.logIn("yoda");
  const reset = await admin.reset("yoda");
  const request = { oldPassword: passwordOf("yoda"), newPassword: "a password to remember" };
  await yoda.unary(yoda.auth, yoda.auth.changePassword, request);
  expect(await reasonOf(resetWith(server.anonymous(), reset, "another password"))).toBe("RESET_INVALID");
  await server.anonymous().logIn("yoda", "a password to remember");
});

test("a reset ends the lock after wrong passwords, and so does unlock", async () => {
  const { server, admin } = await start();
  const guess = () => reasonOf(server.anonymous().logIn("yoda", "a wrong guess"));
  const lock = async () => {
    for (let count = 0; count < 3; count++) await guess();
    expect(await reasonOf(server.logIn("yoda"))).toBe("ACCOUNT_LOCKED");
  };
  await lock();
  await admin.unlock("yoda");
  await server.logIn("yoda");
  await lock();
  await resetWith(server.anonymous(), await admin.reset("yoda"), "a new password");
  await server.anonymous().logIn("yoda", "a new password");
});

test("after a new password, only the device that set it is known, until the others log in again", async () => {
  const { server, leia } = await start();
  const mine = await server.logIn("yoda");
  const stolen = await server.logIn("yoda");
  const request = { oldPassword: passwordOf("yoda"), newPassword: "another password" };
  await mine.unary(mine.auth, mine.auth.changePassword, request);

  // Three wrong passwords from a stranger lock the name, and with it the device that is no longer known.
  const { store } = server;
  const known = async (client: TestClient) => {
    const { deviceId = "", deviceSecret = "" } = client.grant?.device ?? {};
    return reasonOf(server.anonymous().logIn("yoda", "another password", { deviceId, deviceSecret }));
  };
  for (let count = 0; count < 3; count++) await reasonOf(server.anonymous().logIn("yoda", "a wrong guess"));
  expect(await known(stolen)).toBe("ACCOUNT_LOCKED");
  expect(await known(mine)).toBe("");

  // The right password makes the device known again, under its old id.
  await store.admin.unlock("yoda", { userId: undefined, address: "", time: Date.now() });
  expect(await known(stolen)).toBe("");
  for (let count = 0; count < 3; count++) await reasonOf(server.anonymous().logIn("yoda", "a wrong guess"));
  expect(await known(stolen)).toBe("");
  await leia.whoelse();
});

test("a disabled user is told so only after the right password, and all streams have ended", async () => {
  const { server, leia, admin } = await start();
  const yoda = await server.logIn("yoda");
  const stream = await yoda.connect().caughtUp();
  expect((await admin.disable("yoda")).endedSessions).toBe(1);
  expect((await stream.ended)?.reason).toBe("SESSION_ENDED");
  expect(await reasonOf(yoda.whoelse())).toBe("TOKEN_INVALID");

  expect(await reasonOf(server.anonymous().logIn("yoda", "a wrong guess"))).toBe("CREDENTIALS_WRONG");
  expect(await reasonOf(server.logIn("yoda"))).toBe("ACCOUNT_DISABLED");
  expect((await outcomes(leia, "yoda")).slice(0, 2)).toEqual([
    LogInOutcome.DISABLED,
    LogInOutcome.WRONG_PASSWORD,
  ]);
  const reset = await admin.reset("yoda");
  expect(await reasonOf(resetWith(server.anonymous(), reset, "a long password"))).toBe("ACCOUNT_DISABLED");

  // Others notice only that yoda is offline: messages are stored, and yoda gets them later.
  expect(await leia.whoelse()).toEqual([]);
  await leia.send("yoda", "are you there?");
  await admin.disable("yoda", false);
  expect(await (await server.logIn("yoda")).textsWith("leia")).toEqual(["are you there?"]);
});

test("administrators cannot remove, disable or demote themselves, and unknown names are refused", async () => {
  const { admin } = await start();
  const self = [admin.remove("leia"), admin.disable("leia"), admin.administrator("leia", false)];
  expect(await Promise.all(self.map(reasonOf))).toEqual(self.map(() => "RECIPIENT_IS_SELF"));
  const unknown = [
    admin.remove("rey"),
    admin.disable("rey"),
    admin.disable("rey", false),
    admin.administrator("rey", true),
    admin.unlock("rey"),
    admin.sessions("rey"),
    admin.logOut("rey"),
    admin.reset("rey"),
  ];
  expect(await Promise.all(unknown.map(reasonOf))).toEqual(unknown.map(() => "USER_NOT_FOUND"));
  expect(await admin.actions()).toEqual([]);
});

test("users are added, listed in pages, logged out and removed", async () => {
  const { server, admin } = await start();
  expect(await reasonOf(admin.add("Y0DA", "a long password"))).toBe("USERNAME_TAKEN");
  expect(await reasonOf(admin.add("re y", "a long password"))).toBe("USERNAME_INVALID");
  expect(await reasonOf(admin.add("rey", "short"))).toBe("PASSWORD_INVALID");
  expect((await admin.add("rey", "a long password")).user?.username).toBe("rey");
  await server.anonymous().logIn("rey", "a long password");
  expect((await admin.sessions("rey")).sessions).toMatchObject([{ online: false, current: false }]);
  expect((await admin.logOut("rey")).endedSessions).toBe(1);
  expect((await admin.sessions("rey")).sessions).toEqual([]);

  const first = await admin.accounts({ pageSize: 3, pageToken: "" });
  const second = await admin.accounts({ pageSize: 3, pageToken: first.nextPageToken });
  expect([first, second].map(({ accounts }) => accounts.map(({ user }) => user?.username))).toEqual([
    ["hans", "leia", "rey"],
    ["yoda"],
  ]);
  expect(second.nextPageToken).toBe("");
  await admin.remove("rey");
  expect(await reasonOf(server.anonymous().logIn("rey", "a long password"))).toBe("CREDENTIALS_WRONG");
});

test("a bot has a token that neither time nor idleness ends, and others see that it is a bot", async () => {
  const clock = new ManualClock();
  const { server, admin } = await start({ clock, idleTimeoutMs: 60_000 });
  const { botToken } = await admin.add("r2", "", true);
  expect(await reasonOf(admin.add("c3", "a long password", true))).toBe("INVALID_FIELD");
  const bot = server.anonymous();
  bot.grant = { token: botToken } as TestClient["grant"];
  clock.setWallClock(clock.now() + 400 * DAY_MS);
  await server.stop();
  await server.start();
  await bot.whoelse();
  clock.advance(61_000);
  const stream = await bot.connect().caughtUp();

  const yoda = await server.logIn("yoda");
  const { users } = await yoda.unary(yoda.directory, yoda.directory.listUsers, {
    onlineWithin: undefined,
    ...firstPage,
    background: false,
  });
  expect(users.map(({ user, bot }) => [user?.username, bot])).toEqual([["r2", true]]);

  const again = adminOf(await server.logIn("leia"));
  const fresh = await again.reset("r2");
  expect((await stream.ended)?.reason).toBe("SESSION_ENDED");
  expect(await reasonOf(bot.whoelse())).toBe("TOKEN_INVALID");
  bot.grant = { token: fresh } as TestClient["grant"];
  await bot.whoelse();
  expect((await again.accounts()).accounts.find(({ bot }) => bot)?.user?.username).toBe("r2");
});

test("a token that a disabled bot gets is valid only after the bot is enabled", async () => {
  const { server, admin } = await start();
  await admin.add("r2", "", true);
  await admin.disable("r2");
  const bot = server.anonymous();
  bot.grant = { token: await admin.reset("r2") } as TestClient["grant"];
  expect(await reasonOf(bot.whoelse())).toBe("TOKEN_INVALID");
  expect((await bot.connect().ended)?.reason).toBe("TOKEN_INVALID");
  await admin.disable("r2", false);
  expect(await bot.whoelse()).toEqual([]);
});

test("an invite is listed without its secret until it is used up or revoked", async () => {
  const { server, admin } = await start();
  const { invite, secret } = await admin.invite(2);
  const other = await admin.invite(1, 60);
  const ids = async () => (await admin.invites()).invites.map(({ inviteId }) => inviteId).sort();
  expect(await ids()).toEqual([invite?.inviteId, other.invite?.inviteId].sort());
  const page = await admin.invites({ pageSize: 1, pageToken: "" });
  const next = await admin.invites({ pageSize: 1, pageToken: page.nextPageToken });
  expect([...page.invites, ...next.invites]).toHaveLength(2);
  expect(JSON.stringify([page, next])).not.toContain(secret);

  const signUp = (username: string, invite: string) => {
    const client = server.anonymous();
    const request = { username, password: "a long password", invite, client: undefined };
    return client.unary(client.auth, client.auth.signUp, request);
  };
  await signUp("rey", secret);
  await admin.revoke(invite?.inviteId ?? "");
  expect(await reasonOf(signUp("finn", secret))).toBe("INVITE_INVALID");
  expect(await reasonOf(admin.revoke(invite?.inviteId ?? ""))).toBe("INVITE_INVALID");
  expect(await reasonOf(admin.revoke("not an id"))).toBe("INVITE_INVALID");
  expect(await ids()).toEqual([other.invite?.inviteId]);
  expect(await reasonOf(admin.invite(1_000_001))).toBe("INVALID_FIELD");
  expect(await reasonOf(admin.invite(1, 315_360_001))).toBe("INVALID_FIELD");
});

test("every change is in the record of administration and in the log, with who made it", async () => {
  const { server, admin } = await start();
  await admin.add("rey", "a long password");
  await admin.add("r2", "", true);
  await admin.administrator("rey", true);
  await admin.administrator("rey", false);
  await admin.disable("rey");
  await admin.disable("rey", false);
  await admin.unlock("rey");
  await admin.logOut("rey");
  await admin.reset("rey");
  await admin.reset("r2");
  const { invite } = await admin.invite();
  await admin.revoke(invite?.inviteId ?? "");
  await admin.remove("rey");
  const actions = await admin.actions();
  expect(actions.map(({ kind, subject }) => [kind, subject]).reverse()).toEqual([
    [AdminActionKind.ADD_USER, "rey"],
    [AdminActionKind.ADD_BOT, "r2"],
    [AdminActionKind.PROMOTE, "rey"],
    [AdminActionKind.DEMOTE, "rey"],
    [AdminActionKind.DISABLE, "rey"],
    [AdminActionKind.ENABLE, "rey"],
    [AdminActionKind.UNLOCK, "rey"],
    [AdminActionKind.LOG_OUT, "rey"],
    [AdminActionKind.RESET, "rey"],
    [AdminActionKind.NEW_BOT_TOKEN, "r2"],
    [AdminActionKind.CREATE_INVITE, invite?.inviteId],
    [AdminActionKind.REVOKE_INVITE, invite?.inviteId],
    [AdminActionKind.REMOVE_USER, "rey"],
  ]);
  for (const action of actions) expect(action).toMatchObject({ administrator: "leia", address: "127.0.0.1" });
  expect(server.logged.filter(({ msg }) => msg === "administration")).toHaveLength(13);
});

test("what the operator's commands do beside a running server reaches its streams and its record", async () => {
  const { server, admin } = await start();
  const run = async (command: string) => {
    const io = fakeIo();
    const argv = [...command.split(" "), "--data", server.folder];
    const code = await runCommandLine(argv, io, { passwordCost: CHEAP });
    return { code, out: io.out, err: io.err };
  };
  const yoda = await server.logIn("yoda");
  const stream = await yoda.connect().caughtUp();
  expect(await run("user disable yoda")).toMatchObject({
    code: 0,
    out: "yoda cannot log in any more. Sessions ended: 1.\n",
  });
  expect((await stream.ended)?.reason).toBe("SESSION_ENDED");
  expect(await reasonOf(server.logIn("yoda"))).toBe("ACCOUNT_DISABLED");
  expect((await run("user list")).out).toMatch(
    /^hans\nleia {2}administrator\nyoda {2}disabled since 20\S+ \S+Z\n$/,
  );
  await run("user enable yoda");

  const { out } = await run("user reset yoda --listen 127.0.0.1:12000 --plaintext");
  const [, secret = ""] = out.match(/^parley join 127\.0\.0\.1:12000\/reset\/([\w-]{43})\n$/) ?? [];
  await resetWith(server.anonymous(), secret, "a new password");
  expect((await run("user sessions yoda")).out).toMatch(/^s\d+ .*from 127\.0\.0\.1/);
  expect((await run("user log-out yoda")).out).toBe("Sessions ended: 1.\n");

  const token = (await run("user add r2 --bot")).out.trim();
  const bot = server.anonymous();
  bot.grant = { token } as TestClient["grant"];
  await bot.whoelse();

  expect((await run("logins yoda")).out.split("\n")[0]).toMatch(
    /yoda {2}set a new password {2}from 127\.0\.0\.1/,
  );
  const recorded = (await run("actions")).out;
  expect(recorded).toMatch(/Z {2}the operator added the bot r2\n.*logged out yoda\n/);
  expect((await admin.actions()).map(({ administrator }) => administrator)).toContain("");
});

test("a session that started while its user was being disabled does not exist", async () => {
  const { server } = await start();
  await using direct = await openAccounts(pathToFileURL(server.databaseFile));
  const user = await direct.accounts.userByName("yoda");
  await direct.admin.setDisabled("yoda", true, { userId: undefined, address: "", time: Date.now() });
  const { accounts } = server.store;
  const result = await accounts.startSession({
    userId: user?.userId ?? 0,
    passwordHash: user?.passwordHash ?? "",
    deviceId: undefined,
    deviceSecretHash: new Uint8Array(32),
    tokenHash: new Uint8Array(32),
    client: { name: "", version: "", deviceName: "" },
    address: "",
    time: Date.now(),
    expireTime: Date.now() + DAY_MS,
  });
  expect(result).toEqual({ status: "disabled" });
});
