// Scenarios of whoelse and whoelsesince: the lists of users who are or were online.
import { describe, expect, test } from "vitest";
import { reasonOf, type TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", (transport) => {
  const online = async (server: TestServer, name: string): Promise<TestClient> =>
    (await transport.online(server, name)).client;

  test("whoelse lists all online users except the caller, and so does whoelsesince with 0 seconds", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await online(server, "yoda");
    await online(server, "leia");
    const vader = await online(server, "vader");
    await vader.logOut();
    // The log-out is answered before it is stored that vader is offline.
    await expect.poll(() => hans.whoelse()).toEqual(["leia", "yoda"]);
    expect(await hans.whoelse(0)).toEqual(["leia", "yoda"]);
  });

  test("a time longer than the record lists all users on record, also from before a restart, and no user who was never online", async () => {
    await using server = await TestServer.start({ users: people });
    await (await online(server, "yoda")).logOut();
    await online(server, "vader");
    await server.stop();
    await server.start();
    const hans = await online(server, "hans");
    for (const seconds of [1_000_000_000n, 315_576_000_000n, 2n ** 62n]) {
      expect(await hans.whoelse(seconds)).toEqual(["vader", "yoda"]);
    }
  });

  test("a user who blocks the caller is in neither list; a user whom the caller blocks is in both", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await hans.block("vader");
    expect(await vader.whoelse()).toEqual([]);
    expect(await vader.whoelse(3_600)).toEqual([]);
    expect(await hans.whoelse()).toEqual(["vader"]);
    expect(await hans.whoelse(3_600)).toEqual(["vader"]);
    await hans.unblock("vader");
    expect(await vader.whoelse()).toEqual(["hans"]);
    expect(await vader.whoelse(3_600)).toEqual(["hans"]);
  });

  test("a user who blocks the caller stays hidden after going offline; a blocked user stays visible", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    const leia = await online(server, "leia");
    await hans.block("vader");
    await hans.block("leia");
    await leia.logOut();
    await expect.poll(() => hans.whoelse()).toEqual(["vader"]);
    expect(await hans.whoelse(3_600)).toEqual(["leia", "vader"]);
    const yoda = await online(server, "yoda");
    await hans.logOut();
    await expect.poll(() => yoda.whoelse()).toEqual(["vader"]);
    expect(await yoda.whoelse(3_600)).toEqual(["hans", "leia", "vader"]);
    expect(await vader.whoelse(3_600)).toEqual(["leia", "yoda"]);
  });

  test("a user with several devices or several log-ins is listed once", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await (await online(server, "yoda")).logOut();
    await online(server, "yoda");
    await online(server, "yoda");
    expect(await hans.whoelse()).toEqual(["yoda"]);
    expect(await hans.whoelse(3_600)).toEqual(["yoda"]);
    // A second device of the caller is not listed either.
    expect(await (await online(server, "hans")).whoelse()).toEqual(["yoda"]);
  });
});

// The transport makes no difference to the tests below.
test("a user who logs in without opening a stream is not online", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = (await connectUser(server, "hans")).client;
  const yoda = await server.logIn("yoda");
  await yoda.send("hans", "by a call");
  expect(await hans.whoelse()).toEqual([]);
  expect(await hans.whoelse(3_600)).toEqual([]);
});

test("whoelsesince counts the time online, not the moment of the log-in", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: people, clock });
  const hans = (await connectUser(server, "hans")).client;
  const yoda = (await connectUser(server, "yoda")).client;
  // yoda logged in more than a second ago, and was online within the last second.
  clock.advance(1_100);
  expect(await hans.whoelse(1)).toEqual(["yoda"]);
  await yoda.logOut();
  await expect.poll(() => hans.whoelse()).toEqual([]);
  expect(await hans.whoelse(3_600)).toEqual(["yoda"]);
  clock.advance(999);
  expect(await hans.whoelse(1)).toEqual(["yoda"]);
  clock.advance(2);
  expect(await hans.whoelse(1)).toEqual([]);
  expect(await hans.whoelse(3_600)).toEqual(["yoda"]);
});

test("a negative time is refused", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  expect(await reasonOf(hans.whoelse(-1))).toBe("INVALID_FIELD");
  expect(await reasonOf(hans.whoelse(-(2n ** 62n)))).toBe("INVALID_FIELD");
});
