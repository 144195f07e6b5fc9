// A private chat between two devices that were introduced: real TLS, real streams, no server.
import { connectivityState } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { openConverse } from "../../../client/peer/conversation/converse.ts";
import { conversationLimits, NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { Device, End } from "./device.ts";

async function together(luke: Device, yoda: Device): Promise<[End, End]> {
  const { introductionId, arrived } = yoda.expect(luke);
  const there = await luke.call(yoda, introductionId);
  return [there, (await arrived).end];
}

test("both ends speak, in order, and each learns what the other has and has read", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await together(luke, yoda);
  for (let line = 1; line <= 50; line++) {
    a.conversation.send(`from luke ${line}`);
    b.conversation.send(`from yoda ${line}`);
  }
  await Promise.all([
    a.until(({ lines }) => lines.length === 50),
    b.until(({ lines }) => lines.length === 50),
  ]);
  expect(b.texts).toEqual(Array.from({ length: 50 }, (_, index) => `from luke ${index + 1}`));
  expect(a.texts).toEqual(Array.from({ length: 50 }, (_, index) => `from yoda ${index + 1}`));
  await a.until(({ marks }) => marks.at(-1)?.received === 50n);
  expect(a.heard.marks.at(-1)).toEqual({ received: 50n, read: 0n });
  b.conversation.markRead();
  await a.until(({ marks }) => marks.at(-1)?.read === 50n);
  b.conversation.setTyping(true);
  await a.until(({ typing }) => typing.length === 1);
});

test("a line that is read as it comes is marked as read", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await together(luke, yoda);
  b.readsAtOnce = true;
  a.conversation.send("at once");
  await a.until(({ marks }) => marks.at(-1)?.read === 1n);
});

test.each([
  ["the one who called", 0],
  ["the one who was called", 1],
] as const)("a goodbye of %s ends it at both ends, with its reason", async (_who, by) => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const ends = await together(luke, yoda);
  const [stopping, other] = by === 0 ? ends : [ends[1], ends[0]];
  stopping.conversation.send("the last word");
  await stopping.conversation.end(Ending.LOGGED_OUT);
  expect((await other.ended).how).toEqual({ kind: "goodbye", by: "them", ending: Ending.LOGGED_OUT });
  expect(other.texts).toEqual(["the last word"]);
  expect((await stopping.ended).how).toEqual({ kind: "goodbye", by: "me", ending: Ending.LOGGED_OUT });
  expect(() => other.conversation.send("too late")).toThrow(NotSentError);
});

test("a device that vanishes is noticed, and what it is not known to have is named", async () => {
  await using luke = await Device.make();
  const yoda = await Device.make();
  const [a] = await together(luke, yoda);
  await yoda[Symbol.asyncDispose]();
  const { how } = await a.ended;
  expect(how.kind).toBe("failed");
});

test("a line that is empty or too long is refused here, and the chat goes on", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await together(luke, yoda);
  expect(() => a.conversation.send("")).toThrow("nothing to say");
  expect(() => a.conversation.send("x".repeat(conversationLimits.lineBytes + 1))).toThrow("too long");
  a.conversation.send("x".repeat(conversationLimits.lineBytes));
  await b.until(({ lines }) => lines.length === 1);
  expect(b.texts[0]).toHaveLength(conversationLimits.lineBytes);
});

test.each([
  ["the one who called", 0],
  ["the one who was called", 1],
] as const)("the last line before the goodbye of %s is known to have arrived", async (_who, by) => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const ends = await together(luke, yoda);
  const [stopping, other] = by === 0 ? ends : [ends[1], ends[0]];
  // What the other one says meanwhile is between the last line and its mark.
  other.conversation.setTyping(true);
  other.conversation.send("on its way");
  stopping.conversation.send("the last word");
  await stopping.conversation.end(Ending.STOPPED);
  expect((await stopping.ended).undelivered).toEqual([]);
  expect(other.texts).toEqual(["the last word"]);
});

test.each([
  ["the one who called", 0],
  ["the one who was called", 1],
] as const)("when %s has said all, the other one may go on, and it ends when both have", async (_who, by) => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const ends = await together(luke, yoda);
  const [first, second] = by === 0 ? ends : [ends[1], ends[0]];
  first.conversation.send("all there is");
  first.conversation.finish();
  expect(() => first.conversation.send("and one more")).toThrow(NotSentError);
  await second.until(({ finished }) => finished.length === 1);
  expect(second.texts).toEqual(["all there is"]);
  for (let line = 1; line <= 300; line++) second.conversation.send(`line ${line}`);
  second.conversation.finish();
  const ended = await Promise.all([first.ended, second.ended]);
  for (const { how, undelivered } of ended) {
    expect(how).toMatchObject({ kind: "goodbye", ending: Ending.FINISHED });
    expect(undelivered).toEqual([]);
  }
  expect(first.texts).toHaveLength(300);
  expect(first.heard.finished).toEqual([true]);
});

test("both may have said all at once, and one as soon as the other has: nothing is lost", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  for (const answers of [false, true]) {
    const ends = await together(luke, yoda);
    for (const end of ends) for (let line = 1; line <= 50; line++) end.conversation.send(`line ${line}`);
    ends[1].answersFinished = answers;
    ends[0].conversation.finish();
    if (!answers) ends[1].conversation.finish();
    for (const end of ends) {
      expect(await end.ended).toMatchObject({ how: { ending: Ending.FINISHED }, undelivered: [] });
      expect(end.texts).toHaveLength(50);
    }
  }
});

test("the connection goes with the goodbye of the one who was called", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId, arrived } = yoda.expect(luke);
  const dialled = await luke.dial(yoda);
  const stream = await openConverse(dialled, { introductionId, clientName: "", clientVersion: "" });
  const a = new End(stream);
  await (await arrived).end.conversation.end(Ending.LEFT);
  await a.ended;
  expect(dialled.channel.getConnectivityState(false)).toBe(connectivityState.SHUTDOWN);
});
