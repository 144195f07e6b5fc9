// Scenarios of presence: which users see that another user goes online or offline.
import { describe, expect, test } from "vitest";
import { TestServer } from "../support/server.ts";
import { presenceEventsOf, waitUntilOffline, waitUntilOnline } from "./presence-events.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ online, onlineThroughProxy, open }) => {
  test("all other users are notified of a log-in and a log-out", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const watchers = [await online(server, "hans"), await online(server, "leia")];
    const { client: yoda } = await online(server, "yoda");
    for (const { stream } of watchers) await waitUntilOnline(stream, "yoda");
    // The grace period is for lost connections, so a log-out is announced immediately.
    await yoda.logOut();
    for (const { stream } of watchers) await waitUntilOffline(stream, "yoda");
  });

  test("a user who reconnects within the grace period stays online, and no event announces a change", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const { stream: hans, client } = await online(server, "hans");
    const { client: yoda, stream } = await online(server, "yoda");
    await waitUntilOnline(hans, "yoda");
    stream[Symbol.dispose]();
    await stream.ended;
    expect(await client.whoelse()).toEqual(["yoda"]);
    await open(yoda).caughtUp();
    await online(server, "leia");
    await waitUntilOnline(hans, "leia");
    expect(presenceEventsOf(hans, "yoda")).toEqual(["online"]);
  });

  test("a user with several devices goes online with the first and offline with the last", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: hans } = await online(server, "hans");
    const desktop = await online(server, "yoda");
    await waitUntilOnline(hans, "yoda");
    const phone = await online(server, "yoda");
    await desktop.client.logOut();
    await online(server, "leia");
    await waitUntilOnline(hans, "leia");
    expect(presenceEventsOf(hans, "yoda")).toEqual(["online"]);
    await phone.client.logOut();
    await waitUntilOffline(hans, "yoda");
    expect(presenceEventsOf(hans, "yoda")).toEqual(["online", "offline"]);
  });

  test("the blocked user, and only that user, does not see the blocker go online and offline", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: vader } = await online(server, "vader");
    const { stream: leia } = await online(server, "leia");
    await (await server.logIn("hans")).block("vader");
    const { client: hans } = await online(server, "hans");
    await waitUntilOnline(leia, "hans");
    await hans.logOut();
    await waitUntilOffline(leia, "hans");
    await online(server, "yoda");
    await waitUntilOnline(vader, "yoda");
    expect(presenceEventsOf(vader, "hans")).toEqual([]);
  });

  test("the blocker still sees the blocked user go online and offline", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await hans.client.block("vader");
    const { client: vader } = await online(server, "vader");
    await waitUntilOnline(hans.stream, "vader");
    expect(await hans.client.whoelse()).toEqual(["vader"]);
    await vader.logOut();
    await waitUntilOffline(hans.stream, "vader");
  });

  test("a block while both are online hides the blocker's log-out and log-in; after the unblock they are visible again", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: vader, client: vaderClient } = await online(server, "vader");
    const { stream: leia } = await online(server, "leia");
    const hans = await online(server, "hans");
    await waitUntilOnline(vader, "hans");
    await hans.client.block("vader");
    await hans.client.logOut();
    await waitUntilOffline(leia, "hans");
    const back = await online(server, "hans");
    await waitUntilOnline(leia, "hans");
    await online(server, "yoda");
    await waitUntilOnline(vader, "yoda");
    expect(presenceEventsOf(vader, "hans")).toEqual(["online", "offline"]);
    await back.client.unblock("vader");
    await waitUntilOnline(vader, "hans");
    expect(await vaderClient.whoelse()).toContain("hans");
    await back.client.logOut();
    await waitUntilOffline(vader, "hans");
  });

  test("the blocked user does not see that the blocker's connection is lost", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
    const { stream: vader } = await online(server, "vader");
    const { stream: leia } = await online(server, "leia");
    const { client: hans, proxy } = await onlineThroughProxy(server, "hans");
    using _client = hans;
    await waitUntilOnline(vader, "hans");
    await waitUntilOnline(leia, "hans");
    await hans.block("vader");
    proxy[Symbol.dispose]();
    await waitUntilOffline(leia, "hans");
    await online(server, "yoda");
    await waitUntilOnline(vader, "yoda");
    // The blocker went offline for the blocked user when the block began.
    expect(presenceEventsOf(vader, "hans")).toEqual(["online", "offline"]);
  });

  test("to the blocked user, the blocker is offline from the block to its end; no other event tells of it", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await waitUntilOnline(hans.stream, "vader");
    const before = vader.stream.events.length;
    await hans.client.block("vader");
    await waitUntilOffline(vader.stream, "hans");
    expect(await vader.client.whoelse()).toEqual([]);
    await hans.client.unblock("vader");
    await waitUntilOnline(vader.stream, "hans");
    expect(await vader.client.whoelse()).toEqual(["hans"]);
    await hans.send("vader", "nothing happened");
    expect(await vader.stream.nextText()).toBe("nothing happened");
    const since = vader.stream.events.slice(before).map(({ kind }) => kind?.$case);
    expect(since.filter((kind) => kind !== "presenceChanged")).toEqual(["entryAppended"]);
  });

  test("a block by a user who is offline, and its end, cause no event", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const hans = await server.logIn("hans");
    await hans.block("vader");
    await hans.unblock("vader");
    await online(server, "yoda");
    await waitUntilOnline(vader.stream, "yoda");
    expect(presenceEventsOf(vader.stream, "hans")).toEqual([]);
  });

  test("Welcome does not list users who block the reader", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await online(server, "leia");
    await hans.client.block("vader");
    const onlineInWelcome = async (name: string) => {
      const client = await server.logIn(name);
      return (await open(client).next("welcome")).online.map(({ username }) => username);
    };
    expect(await onlineInWelcome("vader")).toEqual(["leia"]);
    expect(await onlineInWelcome("yoda")).toEqual(expect.arrayContaining(["hans", "leia"]));
  });
});
