// Scenarios of the record of log-ins: what it contains, and which users may read it.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { expect, test } from "vitest";
import { LogInOutcome, type LogInRecord } from "../../gen/parley/chat/v1/auth_service.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const people = ["hans", "yoda"];
const { LOGGED_IN, WRONG_PASSWORD, LOCKED, REFUSED_LOCKED, TOO_MANY_SESSIONS, DEVICE_INVALID } = LogInOutcome;

async function record(client: TestClient, allUsers = false): Promise<LogInRecord[]> {
  const request = { pageSize: 0, pageToken: "", allUsers, username: "" };
  return (await client.unary(client.auth, client.auth.listLogIns, request)).logIns;
}

/** The outcome and the count of each record, newest first. */
async function outcomes(client: TestClient): Promise<[number, number][]> {
  return (await record(client)).map(({ outcome, count }) => [outcome, count]);
}

/** Tries that many wrong passwords. */
async function fail(client: TestClient, name: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await reasonOf(client.logIn(name, "not it"));
}

test("the record has each log-in and refusal of the user's name, and joins equal ones in a row to a count", async () => {
  await using server = await TestServer.start({ users: people });
  const device = (await server.logIn("yoda")).grant?.device;
  const caller = server.anonymous();
  await fail(caller, "yoda", 6);
  // The lock spares known devices: see lock.test.ts.
  const yoda = await server.logIn("yoda", device);
  expect(await outcomes(yoda)).toEqual([
    [LOGGED_IN, 1],
    [REFUSED_LOCKED, 3],
    [LOCKED, 1],
    [WRONG_PASSWORD, 2],
    [LOGGED_IN, 1],
  ]);
  const [newest, refused] = await record(yoda);
  expect(newest).toMatchObject({ username: "yoda", deviceId: device?.deviceId });
  expect(refused?.deviceId).toBe("");
  expect(refused?.firstTime?.getTime()).toBeLessThanOrEqual(refused?.time?.getTime() ?? 0);
});

test("the right password during a lock is recorded as refused, not as a log-in", async () => {
  await using server = await TestServer.start({ users: people });
  const device = (await server.logIn("yoda")).grant?.device;
  const caller = server.anonymous();
  await fail(caller, "yoda", 3);
  expect(await reasonOf(caller.logIn("yoda", passwordOf("yoda")))).toBe("ACCOUNT_LOCKED");
  const all = await outcomes(await server.logIn("yoda", device));
  expect(all.slice(1, 3)).toEqual([
    [REFUSED_LOCKED, 1],
    [LOCKED, 1],
  ]);
});

test("refusals before and after a log-in are separate records", async () => {
  await using server = await TestServer.start({ users: people });
  const caller = server.anonymous();
  await fail(caller, "yoda", 1);
  await caller.logIn("yoda", passwordOf("yoda"));
  await fail(caller, "yoda", 1);
  expect(await outcomes(await server.logIn("yoda"))).toEqual([
    [LOGGED_IN, 1],
    [WRONG_PASSWORD, 1],
    [LOGGED_IN, 1],
    [WRONG_PASSWORD, 1],
  ]);
});

test("refusals for too many sessions and for a device of another user are recorded with these outcomes", async () => {
  await using server = await TestServer.start({ users: people, sessionsPerUser: 1 });
  const foreign = (await server.logIn("hans")).grant?.device;
  const yoda = await connectUser(server, "yoda");
  expect(await reasonOf(server.logIn("yoda"))).toBe("TOO_MANY_SESSIONS");
  await yoda.client.logOut();
  await yoda.stream.ended;
  expect(await reasonOf(server.logIn("yoda", foreign))).toBe("DEVICE_INVALID");
  expect(await outcomes(await server.logIn("yoda"))).toEqual([
    [LOGGED_IN, 1],
    [DEVICE_INVALID, 1],
    [TOO_MANY_SESSIONS, 1],
    [LOGGED_IN, 1],
  ]);
});

test("a record has the program and the address, and neither wrong nor right passwords", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = server.anonymous();
  const client = { name: "saber", version: "6.0", deviceName: "swamp" };
  const request = { username: "yoda", device: undefined, client };
  await reasonOf(yoda.unary(yoda.auth, yoda.auth.logIn, { ...request, password: "nearly the password" }));
  await yoda.logIn("yoda", passwordOf("yoda"));
  const all = await record(yoda);
  expect(all[1]).toMatchObject({ client, address: "127.0.0.1", outcome: WRONG_PASSWORD });
  const stored = JSON.stringify(all) + JSON.stringify(server.logged);
  expect(stored).not.toContain("nearly the password");
  expect(stored).not.toContain(passwordOf("yoda"));
});

// On other systems than Linux the loopback interface has a single address.
test.skipIf(process.platform !== "linux")(
  "the same refusal from another address is a separate record",
  async () => {
    await using server = await TestServer.start({ users: people });
    for (const from of ["127.0.0.2", "127.0.0.3"]) {
      using proxy = await TcpProxy.start(server.port, from);
      using caller = new TestClient(proxy.port);
      await fail(caller, "yoda", 1);
    }
    const [, second, first] = await record(await server.logIn("yoda"));
    expect(second).toMatchObject({ address: "127.0.0.3", count: 1, outcome: WRONG_PASSWORD });
    expect(first).toMatchObject({ address: "127.0.0.2", count: 1, outcome: WRONG_PASSWORD });
  },
);

test("the record survives a restart, and is listed in pages, newest first", async () => {
  await using server = await TestServer.start({ users: people });
  await fail(server.anonymous(), "yoda", 2);
  const yoda = await server.logIn("yoda");
  const before = await record(yoda);
  await server.stop();
  await server.start();
  expect(await record(yoda)).toEqual(before);
  const paged: LogInRecord[] = [];
  let pageToken = "";
  do {
    const request = { pageSize: 1, pageToken, allUsers: false, username: "" };
    const page = await yoda.unary(yoda.auth, yoda.auth.listLogIns, request);
    expect(page.logIns).toHaveLength(1);
    paged.push(...page.logIns);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(paged).toEqual(before);
});

test("only administrators may list the records of all users, also after a restart", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await server.logIn("yoda");
  expect(await reasonOf(record(hans, true))).toBe("ADMINISTRATORS_ONLY");
  await server.store.accounts.setAdministrator("hans", true);
  await server.stop();
  await server.start();
  expect((await record(hans, true)).map(({ username }) => username)).toEqual(["yoda", "hans"]);
  expect((await record(hans)).map(({ username }) => username)).toEqual(["hans"]);
  await server.store.accounts.setAdministrator("hans", false);
  expect(await reasonOf(record(hans, true))).toBe("ADMINISTRATORS_ONLY");
});

test("attempts with an unknown name are not in the record of a user with a similar name", async () => {
  await using server = await TestServer.start({ users: people });
  await fail(server.anonymous(), "Yoda", 3);
  expect(await outcomes(await server.logIn("yoda"))).toEqual([[LOGGED_IN, 1]]);
});

test("a password that was typed as the name is in no record, in no file and in no log line", async () => {
  await using server = await TestServer.start({ users: people });
  await server.store.accounts.setAdministrator("hans", true);
  await reasonOf(server.anonymous().logIn("wise@!man", "yoda"));
  await reasonOf(server.anonymous().logIn("abc", "yoda"));
  const all = await record(await server.logIn("hans"), true);
  expect(all.map(({ username }) => username)).toEqual(["hans", "a… (3 characters)", "wi… (9 characters)"]);
  expect(JSON.stringify(server.logged)).not.toContain("wise");
  for (const end of ["", "-wal"]) {
    const bytes = await readFile(`${server.databaseFile}${end}`);
    expect(bytes.includes("yoda") || end === "").toBe(true);
    expect(bytes.includes("wise")).toBe(false);
  }
});

test("a program's description cannot contain lines or control characters", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = server.anonymous();
  const client = {
    name: "a\nforged line",
    version: "1\u001b[31m\u2028",
    deviceName: "my \u{1f469}\u200d\u{1f4bb} \u202eold\u0085",
  };
  const request = { username: "yoda", password: passwordOf("yoda"), device: undefined, client };
  const { grant } = await yoda.unary(yoda.auth, yoda.auth.logIn, request);
  yoda.grant = grant;
  const clean = {
    name: "a\ufffdforged line",
    version: "1\ufffd[31m\ufffd",
    deviceName: "my \u{1f469}\u200d\u{1f4bb} \ufffdold\ufffd",
  };
  expect((await record(yoda))[0]?.client).toEqual(clean);
  const { sessions } = await yoda.unary(yoda.auth, yoda.auth.listSessions, { pageSize: 0, pageToken: "" });
  expect(sessions[0]?.client).toEqual(clean);
});
