// Conversations between two introduced devices over TLS, without a chat server.
import { connectivityState } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { openConverse } from "../../../client/peer/conversation/converse.ts";
import { conversationLimits, NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { Device, End } from "./device.ts";

async function connected(luke: Device, yoda: Device): Promise<[End, End]> {
  const { introductionId, arrived } = yoda.expect(luke);
  const there = await luke.call(yoda, introductionId);
  return [there, (await arrived).end];
}

test("lines arrive in order both ways, and marks tell what the peer has received and read", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await connected(luke, yoda);
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
  expect(a.received.marks.at(-1)).toEqual({ received: 50n, read: 0n });
  b.conversation.markRead();
  await a.until(({ marks }) => marks.at(-1)?.read === 50n);
  b.conversation.setTyping(true);
  await a.until(({ typing }) => typing.length === 1);
});

test("a line that is read in its callback is marked as read", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await connected(luke, yoda);
  b.readsImmediately = true;
  a.conversation.send("at once");
  await a.until(({ marks }) => marks.at(-1)?.read === 1n);
});

test.each([
  ["the caller", 0],
  ["the called device", 1],
] as const)("a goodbye of %s ends the conversation on both ends, with its reason", async (_who, by) => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const ends = await connected(luke, yoda);
  const [stopping, other] = by === 0 ? ends : [ends[1], ends[0]];
  stopping.conversation.send("the last word");
  await stopping.conversation.end(Ending.LOGGED_OUT);
  expect((await other.ended).how).toEqual({ kind: "goodbye", by: "them", ending: Ending.LOGGED_OUT });
  expect(other.texts).toEqual(["the last word"]);
  expect((await stopping.ended).how).toEqual({ kind: "goodbye", by: "me", ending: Ending.LOGGED_OUT });
  expect(() => other.conversation.send("too late")).toThrow(NotSentError);
});

test("the loss of the peer ends the conversation as failed", async () => {
  await using luke = await Device.make();
  const yoda = await Device.make();
  const [a] = await connected(luke, yoda);
  await yoda[Symbol.asyncDispose]();
  const { how } = await a.ended;
  expect(how.kind).toBe("failed");
});

test("an empty or too long line is refused locally, and the conversation continues", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const [a, b] = await connected(luke, yoda);
  expect(() => a.conversation.send("")).toThrow("must not be empty");
  expect(() => a.conversation.send("x".repeat(conversationLimits.lineBytes + 1))).toThrow("too long");
  a.conversation.send("x".repeat(conversationLimits.lineBytes));
  await b.until(({ lines }) => lines.length === 1);
  expect(b.texts[0]).toHaveLength(conversationLimits.lineBytes);
});

test.each([
  ["the caller", 0],
  ["the called device", 1],
] as const)("the last line before the goodbye of %s is acknowledged", async (_who, by) => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const ends = await connected(luke, yoda);
  const [stopping, other] = by === 0 ? ends : [ends[1], ends[0]];
  // These signals come between the last line and its mark.
  other.conversation.setTyping(true);
  other.conversation.send("on its way");
  stopping.conversation.send("the last word");
  await stopping.conversation.end(Ending.STOPPED);
  expect((await stopping.ended).undelivered).toEqual([]);
  expect(other.texts).toEqual(["the last word"]);
});

test.each([
  ["the caller", 0],
  ["the called device", 1],
] as const)(
  "when %s has finished, the other one can still send, and the end comes when both have finished",
  async (_who, by) => {
    await using luke = await Device.make();
    await using yoda = await Device.make();
    const ends = await connected(luke, yoda);
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
    expect(first.received.finished).toEqual([true]);
  },
);

test("no line is lost when both finish at the same time, or one right after the other", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  for (const answers of [false, true]) {
    const ends = await connected(luke, yoda);
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

test("a goodbye of the called device closes the connection", async () => {
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
