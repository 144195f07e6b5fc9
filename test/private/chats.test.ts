// Private chats that open, over both paths, and how they end: real server, real streams, real TLS between the devices.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { Ending } from "../../gen/parley/peer/v1/peer_service.ts";
import { TestServer } from "../support/server.ts";
import { chatting, Somebody } from "./somebody.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia", "vader"], sessionsPerUser: 9 });
});
afterAll(() => server[Symbol.asyncDispose]());

const sitDown = (name: string, options = {}) => Somebody.sitDown(server.port, name, options);

describe.each([
  ["direct", true],
  ["relayed", false],
] as const)("a chat that is %s", (path, direct) => {
  test("is spoken by both ends, in order, with marks", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct });
    expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path }]);
    expect(yoda.chats.openChats).toMatchObject([{ username: "luke", path }]);
    const said = Array.from({ length: 40 }, (_, index) => `line ${index} – 你好`);
    for (const text of said) {
      luke.chats.send("yoda", text);
      yoda.chats.send("luke", text);
    }
    expect(await yoda.hears("luke", 40)).toEqual(said);
    expect(await luke.hears("yoda", 40)).toEqual(said);
    yoda.chats.markRead("luke");
    await luke.until((events) => events.some((event) => event.type === "marks" && event.read === 40n));
    luke.chats.setTyping("yoda", true);
    expect((await yoda.next("typing")).typing).toBe(true);
  });

  test.each([
    ["who asked", 0],
    ["who answered", 1],
  ] as const)("ends at both ends when %s stops it, and can be started anew", async (_who, by) => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct });
    const [stops, other] = by === 0 ? [luke, yoda] : [yoda, luke];
    stops.chats.send(other.name, "goodbye");
    await stops.chats.stop(other.name);
    const { how, undelivered } = await other.next("ended");
    expect(how).toEqual({ kind: "goodbye", by: "them", ending: Ending.STOPPED });
    expect(undelivered).toEqual([]);
    expect(other.heard(stops.name)).toEqual(["goodbye"]);
    await stops.next("ended");
    expect(() => other.chats.send(stops.name, "still there?")).toThrow(NotSentError);
    await chatting(other, stops, { direct });
  });

  test("ends once the reader has dealt with it that the other one has said all", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct });
    luke.chats.send("yoda", "all there is");
    luke.chats.finish("yoda");
    expect(() => luke.chats.send("yoda", "and more")).toThrow(NotSentError);
    await yoda.next("finished");
    expect(yoda.heard("luke")).toEqual(["all there is"]);
    for (const end of [luke, yoda]) {
      const { how, undelivered } = await end.next("ended");
      expect(how).toMatchObject({ kind: "goodbye", ending: Ending.FINISHED });
      expect(undelivered).toEqual([]);
    }
    expect(() => luke.chats.finish("yoda")).toThrow(NotSentError);
  });

  test("may stay half open where that is wanted, and ends when both have said all", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda", { allowHalfOpen: true });
    await chatting(luke, yoda, { direct });
    luke.chats.finish("yoda");
    await yoda.next("finished");
    for (const text of ["one", "two"]) yoda.chats.send("luke", text);
    expect(await luke.hears("yoda", 2)).toEqual(["one", "two"]);
    expect(yoda.chats.openChats).toHaveLength(1);
    yoda.chats.finish("luke");
    for (const end of [luke, yoda]) {
      expect((await end.next("ended")).how).toMatchObject({ kind: "goodbye", ending: Ending.FINISHED });
    }
  });

  test("goes on when the one blocks the other", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct });
    await yoda.account.blockUser("luke");
    luke.chats.send("yoda", "after the block");
    expect(await yoda.hears("luke", 1)).toEqual(["after the block"]);
    await yoda.account.unblockUser("luke");
  });

  test("is one of several at once", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await using leia = await sitDown("leia");
    await chatting(luke, yoda, { direct });
    await chatting(leia, luke, { direct });
    await chatting(yoda, leia, { direct });
    luke.chats.send("yoda", "to yoda");
    luke.chats.send("leia", "to leia");
    leia.chats.send("yoda", "from leia");
    expect(await yoda.hears("luke", 1)).toEqual(["to yoda"]);
    expect(await leia.hears("luke", 1)).toEqual(["to leia"]);
    expect(await yoda.hears("leia", 1)).toEqual(["from leia"]);
  });

  test("tells the other of a log-out, and of a program that is gone", async () => {
    await using luke = await sitDown("luke");
    const yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct });
    await yoda.chats.close(Ending.LOGGED_OUT);
    expect((await luke.next("ended")).how).toEqual({
      kind: "goodbye",
      by: "them",
      ending: Ending.LOGGED_OUT,
    });
    await yoda[Symbol.asyncDispose]();
  });
});

test("who closes everything learns what came to nothing by that", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await using leia = await sitDown("leia");
  await using vader = await sitDown("vader");
  await chatting(luke, yoda, { direct: true });
  await luke.chats.start("leia", { direct: true });
  await leia.next("requested");
  luke.chats.send("leia", "held");
  luke.chats.send("yoda", "on its way, and taken");
  await yoda.hears("luke", 1);
  expect(await luke.chats.close(Ending.LEFT)).toEqual([
    { username: "leia", queued: ["held"], undelivered: [] },
  ]);
  expect(await luke.chats.close(Ending.LEFT)).toEqual([]);
  expect(await vader.chats.close(Ending.LEFT)).toEqual([]);
});

test("the direct path takes both to agree, and the relay is taken where it does not come about", async () => {
  await using luke = await sitDown("luke");
  // Nobody can dial this one.
  await using yoda = await sitDown("yoda", { host: null });
  await chatting(luke, yoda, { direct: true });
  expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path: "relayed" }]);
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
  await yoda.chats.start("luke", { direct: false });
  expect((await luke.next("requested")).direct).toBe(false);
  await luke.chats.answer("yoda", "accept", { direct: true });
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  expect(yoda.chats.openChats).toMatchObject([{ username: "luke", path: "relayed" }]);
});

test("a chat that ends here is not taken for one that is open elsewhere", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await chatting(luke, yoda, { direct: false });
  const stopping = luke.chats.stop("yoda");
  expect(luke.chats.openChats).toEqual([]);
  expect(await luke.chats.findOpenElsewhere("yoda")).toBeUndefined();
  await stopping;
  await luke.next("ended");
  expect(await luke.chats.findOpenElsewhere("yoda")).toBeUndefined();
});

test("where there is neither a direct path nor a relay, both are told at once", async () => {
  await using bare = await TestServer.start({ users: ["luke", "yoda"], relay: false });
  await using luke = await Somebody.sitDown(bare.port, "luke");
  await using yoda = await Somebody.sitDown(bare.port, "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  for (const end of [luke, yoda]) {
    expect((await end.next("failed")).error).toMatchObject({ reason: "PRIVATE_CHAT_UNAVAILABLE" });
  }
});
