// Scenarios of presence: who sees whom come and go, in whatever way that happens.
import { describe, expect, test } from "vitest";
import { TestServer } from "../support/server.ts";
import { comes, goes, toldOf } from "./presence-seen.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ here, hereByWire, open }) => {
  test("a log-in and a log-out are seen by all others", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const watchers = [await here(server, "hans"), await here(server, "leia")];
    const { client: yoda } = await here(server, "yoda");
    for (const { stream } of watchers) await comes(stream, "yoda");
    // The grace is for lost connections; a log-out is one at once.
    await yoda.logOut();
    for (const { stream } of watchers) await goes(stream, "yoda");
  });

  test("a client that is killed is seen to be gone at once after the grace", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
    const { stream: hans } = await here(server, "hans");
    const { client, wire } = await hereByWire(server, "yoda");
    using _yoda = client;
    await comes(hans, "yoda");
    const start = performance.now();
    wire[Symbol.dispose]();
    await goes(hans, "yoda");
    // Found by its end, not by a ping that nothing answers.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("who is back within the grace was never away, and a stream is left for none who stays", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const { stream: hans, client } = await here(server, "hans");
    const { client: yoda, stream } = await here(server, "yoda");
    await comes(hans, "yoda");
    stream[Symbol.dispose]();
    await stream.ended;
    expect(await client.whoelse()).toEqual(["yoda"]);
    await open(yoda).caughtUp();
    await here(server, "leia");
    await comes(hans, "leia");
    expect(toldOf(hans, "yoda")).toEqual(["in"]);
  });

  test("of several devices only the first in and the last out are told", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: hans } = await here(server, "hans");
    const context = await here(server, "yoda");
    await comes(hans, "yoda");
    const phone = await here(server, "yoda");
    await context.client.logOut();
    await here(server, "leia");
    await comes(hans, "leia");
    expect(toldOf(hans, "yoda")).toEqual(["in"]);
    await phone.client.logOut();
    await goes(hans, "yoda");
    expect(toldOf(hans, "yoda")).toEqual(["in", "out"]);
  });

  test("who blocks somebody comes and goes unseen by that one, and by nobody else", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: vader } = await here(server, "vader");
    const { stream: leia } = await here(server, "leia");
    await (await server.logIn("hans")).block("vader");
    const { client: hans } = await here(server, "hans");
    await comes(leia, "hans");
    await hans.logOut();
    await goes(leia, "hans");
    await here(server, "yoda");
    await comes(vader, "yoda");
    expect(toldOf(vader, "hans")).toEqual([]);
  });

  test("who is blocked is still seen by who blocks", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    await hans.client.block("vader");
    const { client: vader } = await here(server, "vader");
    await comes(hans.stream, "vader");
    expect(await hans.client.whoelse()).toEqual(["vader"]);
    await vader.logOut();
    await goes(hans.stream, "vader");
  });

  test("who blocks somebody while both are here goes and comes unseen, and is seen again when the block is over", async () => {
    await using server = await TestServer.start({ users: people });
    const { stream: vader, client: vaders } = await here(server, "vader");
    const { stream: leia } = await here(server, "leia");
    const hans = await here(server, "hans");
    await comes(vader, "hans");
    await hans.client.block("vader");
    await hans.client.logOut();
    await goes(leia, "hans");
    const back = await here(server, "hans");
    await comes(leia, "hans");
    await here(server, "yoda");
    await comes(vader, "yoda");
    expect(toldOf(vader, "hans")).toEqual(["in"]);
    await back.client.unblock("vader");
    expect(await vaders.whoelse()).toContain("hans");
    await back.client.logOut();
    await goes(vader, "hans");
  });

  test("a blocker whose connection is lost goes unseen as well", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
    const { stream: vader } = await here(server, "vader");
    const { stream: leia } = await here(server, "leia");
    const { client: hans, wire } = await hereByWire(server, "hans");
    using _hans = hans;
    await comes(vader, "hans");
    await comes(leia, "hans");
    await hans.block("vader");
    wire[Symbol.dispose]();
    await goes(leia, "hans");
    await here(server, "yoda");
    await comes(vader, "yoda");
    expect(toldOf(vader, "hans")).toEqual(["in"]);
  });

  test("a block and its end are told to nobody: no event reaches the blocked one", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await comes(hans.stream, "vader");
    const before = vader.stream.events.length;
    await hans.client.block("vader");
    await hans.client.unblock("vader");
    await hans.send("vader", "nothing happened");
    expect(await vader.stream.nextText()).toBe("nothing happened");
    const since = vader.stream.events.slice(before).map(({ kind }) => kind?.$case);
    expect(since.filter((kind) => kind !== "presenceChanged")).toEqual(["entryAppended"]);
    expect(toldOf(vader.stream, "hans")).not.toContain("out");
  });

  test("Welcome leaves out who blocks the reader", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    await here(server, "leia");
    await hans.client.block("vader");
    const welcomed = async (name: string) => {
      const client = await server.logIn(name);
      return (await open(client).next("welcome")).online.map(({ username }) => username);
    };
    expect(await welcomed("vader")).toEqual(["leia"]);
    expect(await welcomed("yoda")).toEqual(expect.arrayContaining(["hans", "leia"]));
  });
});
