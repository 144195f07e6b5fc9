// Private chats on both paths, from the request to the end, with a real server and TLS between the devices.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { Ending } from "../../gen/parley/peer/v1/peer_service.ts";
import { TestServer } from "../support/server.ts";
import { openChat, PrivateUser } from "./private-user.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia", "vader"], sessionsPerUser: 9 });
});
afterAll(() => server[Symbol.asyncDispose]());

const logIn = (name: string, options = {}) => PrivateUser.logIn(server.port, name, options);

describe.each([
  ["direct", true],
  ["relayed", false],
] as const)("a %s chat", (path, direct) => {
  test("carries lines both ways, in order, with marks", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct });
    expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path }]);
    expect(yoda.chats.openChats).toMatchObject([{ username: "luke", path }]);
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index} – 你好`);
    for (const text of lines) {
      luke.chats.send("yoda", text);
      yoda.chats.send("luke", text);
    }
    expect(await yoda.receives("luke", 40)).toEqual(lines);
    expect(await luke.receives("yoda", 40)).toEqual(lines);
    yoda.chats.markRead("luke");
    await luke.until((events) => events.some((event) => event.type === "marks" && event.read === 40n));
    luke.chats.setTyping("yoda", true);
    expect((await yoda.next("typing")).typing).toBe(true);
  });

  test.each([
    ["the requester", 0],
    ["the accepter", 1],
  ] as const)("ends on both devices when %s stops it, and can be started again", async (_who, by) => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct });
    const [stops, other] = by === 0 ? [luke, yoda] : [yoda, luke];
    stops.chats.send(other.name, "goodbye");
    await stops.chats.stop(other.name);
    const { how, undelivered } = await other.next("ended");
    expect(how).toEqual({ kind: "goodbye", by: "them", ending: Ending.STOPPED });
    expect(undelivered).toEqual([]);
    expect(other.receivedFrom(stops.name)).toEqual(["goodbye"]);
    await stops.next("ended");
    expect(() => other.chats.send(stops.name, "still there?")).toThrow(NotSentError);
    await openChat(other, stops, { direct });
  });

  test("ends when the reader has taken the finished event of the peer", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct });
    luke.chats.send("yoda", "all there is");
    luke.chats.finish("yoda");
    expect(() => luke.chats.send("yoda", "and more")).toThrow(NotSentError);
    await yoda.next("finished");
    expect(yoda.receivedFrom("luke")).toEqual(["all there is"]);
    for (const end of [luke, yoda]) {
      const { how, undelivered } = await end.next("ended");
      expect(how).toMatchObject({ kind: "goodbye", ending: Ending.FINISHED });
      expect(undelivered).toEqual([]);
    }
    expect(() => luke.chats.finish("yoda")).toThrow(NotSentError);
  });

  test("with allowHalfOpen stays open until both users have finished", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda", { allowHalfOpen: true });
    await openChat(luke, yoda, { direct });
    luke.chats.finish("yoda");
    await yoda.next("finished");
    for (const text of ["one", "two"]) yoda.chats.send("luke", text);
    expect(await luke.receives("yoda", 2)).toEqual(["one", "two"]);
    expect(yoda.chats.openChats).toHaveLength(1);
    yoda.chats.finish("luke");
    for (const end of [luke, yoda]) {
      expect((await end.next("ended")).how).toMatchObject({ kind: "goodbye", ending: Ending.FINISHED });
    }
  });

  test("continues when one user blocks the other", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct });
    await yoda.account.blockUser("luke");
    luke.chats.send("yoda", "after the block");
    expect(await yoda.receives("luke", 1)).toEqual(["after the block"]);
    await yoda.account.unblockUser("luke");
  });

  test("is one of several at the same time", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await using leia = await logIn("leia");
    await openChat(luke, yoda, { direct });
    await openChat(leia, luke, { direct });
    await openChat(yoda, leia, { direct });
    luke.chats.send("yoda", "to yoda");
    luke.chats.send("leia", "to leia");
    leia.chats.send("yoda", "from leia");
    expect(await yoda.receives("luke", 1)).toEqual(["to yoda"]);
    expect(await leia.receives("luke", 1)).toEqual(["to leia"]);
    expect(await yoda.receives("leia", 1)).toEqual(["from leia"]);
  });

  test("ends with LOGGED_OUT when the peer logs out", async () => {
    await using luke = await logIn("luke");
    const yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct });
    await yoda.chats.close(Ending.LOGGED_OUT);
    expect((await luke.next("ended")).how).toEqual({
      kind: "goodbye",
      by: "them",
      ending: Ending.LOGGED_OUT,
    });
    await yoda[Symbol.asyncDispose]();
  });
});

test("close returns the lines that did not arrive", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await using leia = await logIn("leia");
  await using vader = await logIn("vader");
  await openChat(luke, yoda, { direct: true });
  await luke.chats.start("leia", { direct: true });
  await leia.next("requested");
  luke.chats.send("leia", "held");
  luke.chats.send("yoda", "on its way, and taken");
  await yoda.receives("luke", 1);
  expect(await luke.chats.close(Ending.LEFT)).toEqual([
    { username: "leia", queued: ["held"], undelivered: [] },
  ]);
  expect(await luke.chats.close(Ending.LEFT)).toEqual([]);
  expect(await vader.chats.close(Ending.LEFT)).toEqual([]);
});

test("the direct path needs both users, and the relay is used if it is not possible", async () => {
  await using luke = await logIn("luke");
  // This device cannot be dialled.
  await using yoda = await logIn("yoda", { host: null });
  await openChat(luke, yoda, { direct: true });
  expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path: "relayed" }]);
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
  await yoda.chats.start("luke", { direct: false });
  expect((await luke.next("requested")).direct).toBe(false);
  await luke.chats.answer("yoda", "accept", { direct: true });
  await Promise.all([luke.next("opened"), yoda.next("opened")]);
  expect(yoda.chats.openChats).toMatchObject([{ username: "luke", path: "relayed" }]);
});

test("a chat of this program that is ending is not reported as open elsewhere", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await openChat(luke, yoda, { direct: false });
  const stopping = luke.chats.stop("yoda");
  expect(luke.chats.openChats).toEqual([]);
  expect(await luke.chats.findOpenElsewhere("yoda")).toBeUndefined();
  await stopping;
  await luke.next("ended");
  expect(await luke.chats.findOpenElsewhere("yoda")).toBeUndefined();
});

test("without a direct path and a relay the chat fails on both devices", async () => {
  await using bare = await TestServer.start({ users: ["luke", "yoda"], relay: false });
  await using luke = await PrivateUser.logIn(bare.port, "luke");
  await using yoda = await PrivateUser.logIn(bare.port, "yoda");
  await luke.chats.start("yoda", { direct: false });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  for (const end of [luke, yoda]) {
    expect((await end.next("failed")).error).toMatchObject({ reason: "PRIVATE_CHAT_UNAVAILABLE" });
  }
});
