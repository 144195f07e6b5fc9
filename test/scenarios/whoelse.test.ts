// Scenarios of whoelse and whoelsesince: who is here, and who was.
import { describe, expect, test } from "vitest";
import { reasonOf, type TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { online as onlineAt } from "./online.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ here }) => {
  const online = async (server: TestServer, name: string): Promise<TestClient> =>
    (await here(server, name)).client;

  test("whoelse names everyone online but the asking one, and 0 seconds asks the same", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await online(server, "yoda");
    await online(server, "leia");
    const gone = await online(server, "vader");
    await gone.logOut();
    // Stored when the call is answered: the log-out is over once nobody is told of vader any more.
    await expect.poll(() => hans.whoelse()).toEqual(["leia", "yoda"]);
    expect(await hans.whoelse(0)).toEqual(["leia", "yoda"]);
  });

  test("more seconds than the record lists everyone on record, across restarts, and nobody who never came", async () => {
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

  test("who blocks the asking one is in neither list; who is blocked is in both", async () => {
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

  test("who blocks the asking one is left out after having gone as well; who is blocked is not", async () => {
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

  test("a user is named once, with however many devices and however often", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await (await online(server, "yoda")).logOut();
    await online(server, "yoda");
    await online(server, "yoda");
    expect(await hans.whoelse()).toEqual(["yoda"]);
    expect(await hans.whoelse(3_600)).toEqual(["yoda"]);
    // Nor does a second device of the asking one make that one somebody else.
    expect(await (await online(server, "hans")).whoelse()).toEqual(["yoda"]);
  });
});

// A call has one transport.
test("a log-in without a stream makes nobody online", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = (await onlineAt(server, "hans")).client;
  const yoda = await server.logIn("yoda");
  await yoda.send("hans", "by a call");
  expect(await hans.whoelse()).toEqual([]);
  expect(await hans.whoelse(3_600)).toEqual([]);
});

// Time passes in it, so it is played once.
test("whoelsesince counts the time online, not the moment of the log-in", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = (await onlineAt(server, "hans")).client;
  const yoda = (await onlineAt(server, "yoda")).client;
  // Logged in more than a second ago, and still here: within the last second as well.
  await expect
    .poll(async () => Date.now() - (await loginTime(server)) > 1_100, { timeout: 5_000 })
    .toBe(true);
  expect(await hans.whoelse(1)).toEqual(["yoda"]);
  await yoda.logOut();
  await expect.poll(() => hans.whoelse()).toEqual([]);
  expect(await hans.whoelse(3_600)).toEqual(["yoda"]);
  await expect.poll(() => hans.whoelse(1), { timeout: 5_000 }).toEqual([]);
});

async function loginTime(server: TestServer): Promise<number> {
  const [newest] = await server.store.logIns.listLogIns("everyone", Number.MAX_SAFE_INTEGER, 1);
  return newest?.time ?? Date.now();
}

test("a negative time is refused", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  expect(await reasonOf(hans.whoelse(-1))).toBe("INVALID_FIELD");
  expect(await reasonOf(hans.whoelse(-(2n ** 62n)))).toBe("INVALID_FIELD");
});
