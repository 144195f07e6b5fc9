// Scenarios of the record of log-ins: what a user finds in it of their own name, and an administrator of everyone's.
import process from "node:process";
import { expect, test } from "vitest";
import { LogInOutcome, type LogInRecord } from "../../gen/parley/chat/v1/auth_service.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { online } from "./online.ts";
import { Wire } from "./wire.ts";

const people = ["hans", "yoda"];
const { LOGGED_IN, WRONG_PASSWORD, LOCKED, REFUSED_LOCKED, TOO_MANY_SESSIONS, DEVICE_INVALID } = LogInOutcome;

async function record(client: TestClient, allUsers = false): Promise<LogInRecord[]> {
  const request = { pageSize: 0, pageToken: "", allUsers };
  return (await client.unary(client.auth, client.auth.listLogIns, request)).logIns;
}

/** Newest first: what became of it, and how often. */
async function outcomes(client: TestClient): Promise<[number, number][]> {
  return (await record(client)).map(({ outcome, count }) => [outcome, count]);
}

async function fail(client: TestClient, name: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await reasonOf(client.logIn(name, "not it"));
}

test("one's record has all that was tried with one's name: wrong, locking, locked out, and in; the like of it as a count", async () => {
  await using server = await TestServer.start({ users: people });
  const device = (await server.logIn("yoda")).grant?.device;
  const stranger = server.anonymous();
  await fail(stranger, "yoda", 6);
  // Spared, being known: see the scenarios of the lock.
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
  const stranger = server.anonymous();
  await fail(stranger, "yoda", 3);
  expect(await reasonOf(stranger.logIn("yoda", passwordOf("yoda")))).toBe("ACCOUNT_LOCKED");
  const all = await outcomes(await server.logIn("yoda", device));
  expect(all.slice(1, 3)).toEqual([
    [REFUSED_LOCKED, 1],
    [LOCKED, 1],
  ]);
});

test("a log-in between two refusals keeps them apart", async () => {
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

test("too many sessions, and a device that is not one's own, are recorded as such", async () => {
  await using server = await TestServer.start({ users: people, sessionsPerUser: 1 });
  const strange = (await server.logIn("hans")).grant?.device;
  const yoda = await online(server, "yoda");
  expect(await reasonOf(server.logIn("yoda"))).toBe("TOO_MANY_SESSIONS");
  await yoda.client.logOut();
  await yoda.stream.ended;
  expect(await reasonOf(server.logIn("yoda", strange))).toBe("DEVICE_INVALID");
  expect(await outcomes(await server.logIn("yoda"))).toEqual([
    [LOGGED_IN, 1],
    [DEVICE_INVALID, 1],
    [TOO_MANY_SESSIONS, 1],
    [LOGGED_IN, 1],
  ]);
});

test("it names the program and the address, and no password, given right or wrong", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = server.anonymous();
  const client = { name: "saber", version: "6.0", deviceName: "swamp" };
  const request = { username: "yoda", device: undefined, client };
  await reasonOf(yoda.unary(yoda.auth, yoda.auth.logIn, { ...request, password: "nearly the password" }));
  await yoda.logIn("yoda", passwordOf("yoda"));
  const all = await record(yoda);
  expect(all[1]).toMatchObject({ client, address: "127.0.0.1", outcome: WRONG_PASSWORD });
  const told = JSON.stringify(all) + JSON.stringify(server.logged);
  expect(told).not.toContain("nearly the password");
  expect(told).not.toContain(passwordOf("yoda"));
});

// OpenElsewhere than on Linux the loopback has one address only.
test.skipIf(process.platform !== "linux")(
  "the same refusal from another address is another record",
  async () => {
    await using server = await TestServer.start({ users: people });
    for (const from of ["127.0.0.2", "127.0.0.3"]) {
      using wire = await Wire.to(server.port, from);
      using stranger = new TestClient(wire.port);
      await fail(stranger, "yoda", 1);
    }
    const [, second, first] = await record(await server.logIn("yoda"));
    expect(second).toMatchObject({ address: "127.0.0.3", count: 1, outcome: WRONG_PASSWORD });
    expect(first).toMatchObject({ address: "127.0.0.2", count: 1, outcome: WRONG_PASSWORD });
  },
);

test("it is kept over a restart, and comes in pages, newest first", async () => {
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
    const request = { pageSize: 1, pageToken, allUsers: false };
    const page = await yoda.unary(yoda.auth, yoda.auth.listLogIns, request);
    expect(page.logIns).toHaveLength(1);
    paged.push(...page.logIns);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(paged).toEqual(before);
});

test("everyone's is for administrators, after a restart as well, and no longer for who is none any more", async () => {
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

test("what is tried with a name that nobody has is in nobody's own record", async () => {
  await using server = await TestServer.start({ users: people });
  await fail(server.anonymous(), "Yoda", 3);
  expect(await outcomes(await server.logIn("yoda"))).toEqual([[LOGGED_IN, 1]]);
});
