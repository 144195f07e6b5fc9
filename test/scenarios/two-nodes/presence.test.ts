// Presence of users whose streams are on two nodes over one store.
import { expect, test } from "vitest";
import type { TestStream } from "../../support/client.ts";
import { sameSession, startPair } from "../../support/pair.ts";
import { FaultyBus } from "../../support/shared-bus.ts";
import { connectUser } from "../connect-user.ts";
import { presenceEventsOf, waitUntilOffline, waitUntilOnline } from "../presence-events.ts";

const HOUR_MS = 3_600_000;

test("two nodes: a session has at most 4 streams on both together", async () => {
  await using pair = await startPair({ users: ["leia"] });
  const leia = await pair.one.logIn("leia");
  const leiaAtOther = sameSession(leia, pair.other);
  const streams: TestStream[] = [];
  for (const client of [leia, leiaAtOther, leia, leiaAtOther]) {
    streams.push(await client.connect().caughtUp());
  }
  for (const client of [leia, leiaAtOther]) {
    expect((await client.connect().ended)?.reason).toBe("TOO_MANY_STREAMS");
  }
  streams[0]?.[Symbol.dispose]();
  // The first node has to notice that its stream has ended.
  await expect
    .poll(() => {
      const stream = leiaAtOther.connect();
      return Promise.race([stream.caughtUp().then(() => true), stream.ended.then(() => false)]);
    })
    .toBe(true);
});

test("two nodes: a user sees who comes and goes at the other node, also if the bus loses every message", async () => {
  await using pair = await startPair({ users: ["leia", "han"], bus: new FaultyBus(() => "lost") });
  const leia = await connectUser(pair.one, "leia");
  const han = await connectUser(pair.other, "han");
  await waitUntilOnline(leia.stream, "han");
  expect(await leia.client.whoelse()).toEqual(["han"]);
  han.stream[Symbol.dispose]();
  await waitUntilOffline(leia.stream, "han");
  expect(presenceEventsOf(leia.stream, "han")).toEqual(["online", "offline"]);
});

test("two nodes: a client that reconnects to the other node within the grace period stays online", async () => {
  await using pair = await startPair({ users: ["leia", "han", "luke"], presenceGraceMs: HOUR_MS });
  const leia = await connectUser(pair.one, "leia");
  const han = await connectUser(pair.one, "han");
  await waitUntilOnline(leia.stream, "han");
  han.stream[Symbol.dispose]();
  await han.stream.ended;
  await sameSession(han.client, pair.other).connect().caughtUp();
  await connectUser(pair.other, "luke");
  await waitUntilOnline(leia.stream, "luke");
  expect(presenceEventsOf(leia.stream, "han")).toEqual(["online"]);
});

test("two nodes: a node that stops leaves the users of the other one online", async () => {
  await using pair = await startPair({ users: ["leia", "han", "luke"] });
  const leia = await connectUser(pair.one, "leia");
  await connectUser(pair.other, "han");
  await waitUntilOnline(leia.stream, "han");
  await pair.other.stop();
  await waitUntilOffline(leia.stream, "han");
  expect(await (await pair.one.logIn("luke")).whoelse()).toEqual(["leia"]);
});

test("two nodes: the call Leave to one node ends the streams of the program on the other", async () => {
  await using pair = await startPair({ users: ["leia", "han"], presenceGraceMs: HOUR_MS });
  const leia = await connectUser(pair.one, "leia");
  const han = await pair.one.logIn("han");
  const stream = await han.connect({ processId: "p" }).caughtUp();
  const other = sameSession(han, pair.other);
  const kept = await other.connect({ processId: "q" }).caughtUp();
  await waitUntilOnline(leia.stream, "han");
  await other.unary(other.chat, other.chat.leave, { processId: "p" });
  expect(await stream.ended).toBeUndefined();
  expect(await leia.client.whoelse()).toEqual(["han"]);
  await han.unary(han.chat, han.chat.leave, { processId: "q" });
  expect(await kept.ended).toBeUndefined();
  await waitUntilOffline(leia.stream, "han");
});

test("two nodes: a block at one node hides the blocker from the blocked user at the other", async () => {
  await using pair = await startPair({ users: ["leia", "vader"] });
  const vader = await connectUser(pair.other, "vader");
  const leia = await connectUser(pair.one, "leia");
  await waitUntilOnline(vader.stream, "leia");
  await leia.client.block("vader");
  await waitUntilOffline(vader.stream, "leia");
  expect(await vader.client.whoelse()).toEqual([]);
  await leia.client.unblock("vader");
  await waitUntilOnline(vader.stream, "leia");
});
