// An introduced peer that violates the contract is refused with a reason, and other chats are not affected. The peer is
// a client that writes its frames by hand.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conversationLimits, NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { ConverseRequest, PeerServiceService } from "../../gen/parley/peer/v1/peer_service.ts";
import { lengthDelimited, strictDefinition } from "../../rpc/calls/decode.ts";
import { openBidi } from "../../rpc/dialling/client-stream.ts";
import { Device } from "../client/peer/device.ts";
import { admitted, finished, type Kind, lineOf, marksOf, openingOf, RawCall } from "./raw-call.ts";

let yoda: Device;
let mallory: Device;
beforeEach(async () => {
  [yoda, mallory] = [await Device.make(), await Device.make()];
});
afterEach(async () => {
  expect(yoda.errors).toEqual([]);
  await yoda[Symbol.asyncDispose]();
  await mallory[Symbol.asyncDispose]();
});

test("a client from the proto with both certificates can chat", async () => {
  const { call, end } = await admitted(mallory, yoda);
  call.send(lineOf(1n, "hello"), lineOf(2n, "there"));
  await end.until(({ lines }) => lines.length === 2);
  expect(end.texts).toEqual(["hello", "there"]);
  end.conversation.send("well met");
  end.conversation.markRead();
  await expect.poll(() => call.kinds).toEqual(expect.arrayContaining(["opening", "line", "marks"]));
  call.send({ $case: "goodbye", value: { ending: 1 } });
  expect((await end.ended).how).toMatchObject({ kind: "goodbye", by: "them", ending: 1 });
});

describe("a call is refused for", () => {
  test.each<[string, Kind[], string]>([
    ["a line out of order", [lineOf(2n, "skipped one")], "LINE_OUT_OF_ORDER"],
    ["a repeated line", [lineOf(1n, "once"), lineOf(1n, "once")], "LINE_OUT_OF_ORDER"],
    ["a line numbered 0", [lineOf(0n, "none")], "LINE_OUT_OF_ORDER"],
    ["a line after Finished", [lineOf(1n, "all"), finished, lineOf(2n, "and more")], "LINE_OUT_OF_ORDER"],
    ["an empty line", [lineOf(1n, "")], "INVALID_FIELD"],
    ["a line that is too long", [lineOf(1n, "x".repeat(conversationLimits.lineBytes + 1))], "INVALID_FIELD"],
    ["a line of the year 0", [lineOf(1n, "old", "0000-12-31T23:59:59.999Z")], "INVALID_FIELD"],
    ["a line of the year 10000", [lineOf(1n, "new", "+010000-01-01T00:00:00Z")], "INVALID_FIELD"],
    ["marks beyond the lines that were sent", [marksOf(1n, 0n)], "MARKS_INVALID"],
    ["marks with more read than received", [marksOf(0n, 1n)], "MARKS_INVALID"],
    ["a second opening", [openingOf("again")], "OPENING_EXPECTED"],
  ])("%s", async (_what, kinds, reason) => {
    const { call, end } = await admitted(mallory, yoda);
    call.send(...kinds);
    expect((await call.ended).reason).toBe(reason);
    expect((await end.ended).how).toMatchObject({ kind: "failed", cause: { reason } });
  });

  test("too many signals in one frame", async () => {
    const { call, end } = await admitted(mallory, yoda);
    call.sendMany(Array.from({ length: 101 }, () => ({ kind: undefined })));
    expect((await call.ended).reason).toBe("INVALID_FIELD");
    await end.ended;
  });

  test.each<[string, (introductionId: string) => Kind[]]>([
    ["a first frame without an opening", () => [lineOf(1n, "hello")]],
    ["an opening with another signal in its frame", (id) => [openingOf(id), lineOf(1n, "hello")]],
    ["an empty first frame", () => []],
  ])("%s", async (_what, first) => {
    const { introductionId } = yoda.expect(mallory);
    const call = new RawCall(await mallory.dial(yoda));
    call.send(...first(introductionId));
    expect((await call.ended).reason).toBe("OPENING_EXPECTED");
  });

  test("an unknown introduction", async () => {
    yoda.expect(mallory);
    const call = new RawCall(await mallory.dial(yoda));
    call.send(openingOf("made-up"));
    expect((await call.ended).reason).toBe("INTRODUCTION_INVALID");
  });
});

test("signals and contents of unknown kinds are ignored", async () => {
  const { call, end } = await admitted(mallory, yoda);
  call.sendMany([{ kind: undefined }]);
  call.send(
    { $case: "line", value: { number: 1n, time: undefined, content: undefined } },
    lineOf(2n, "known"),
  );
  await end.until(({ lines }) => lines.length === 2);
  expect(end.texts).toEqual(["?", "known"]);
});

test("lines to a peer that does not read are refused when the buffers are full", async () => {
  const { call, end } = await admitted(mallory, yoda);
  call.pause();
  const text = "y".repeat(16 * 1024);
  const sayAll = (): void => {
    for (let line = 0; line < 10_000; line++) end.conversation.send(text);
  };
  expect(sayAll).toThrow(NotSentError);
  expect(end.conversation.isFull).toBe(true);
});

test("a peer that reads nothing is disconnected when the outbox overflows", async () => {
  const { introductionId, over } = yoda.expectRaw(mallory, (stream) => {
    const signal = Buffer.alloc(60_000);
    // More than the outbox holds. A flood of minutes would have this effect through marks alone.
    for (let piece = 0; piece < 40; piece++) stream.write(signal);
  });
  const call = new RawCall(await mallory.dial(yoda));
  call.pause();
  call.send(openingOf(introductionId));
  await over;
  call.resume();
  expect((await call.ended).reason).toBe("PEER_GONE");
});

test("a flood is read at a limited rate, and another chat is not delayed", async () => {
  const { call, end } = await admitted(mallory, yoda);
  for (let line = 1n; line <= 5_000n; line++) call.send(lineOf(line, "flood"));
  await using luke = await Device.make();
  const { introductionId, arrived } = yoda.expect(luke);
  const a = await luke.call(yoda, introductionId);
  const b = (await arrived).end;
  a.conversation.send("can you hear me?");
  await b.until(({ lines }) => lines.length === 1);
  const bound = 3 * conversationLimits.signalsPerSecond;
  await end.until(({ lines }) => lines.length > 10);
  expect(end.received.lines.length).toBeLessThan(bound);
});

test("an invalid time is refused before the line is shown or stored", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const { converse } = strictDefinition(PeerServiceService);
  const options = { softBytes: 1024, hardBytes: 1024, maxFrameBytes: 1 };
  const call = openBidi(await mallory.dial(yoda), converse, undefined, options);
  const responses = call[Symbol.asyncIterator]();
  call.outbox.push(ConverseRequest.encode({ signals: [{ kind: openingOf(introductionId) }] }).finish());
  await responses.next();
  const { end } = await arrived;
  const seconds = Buffer.concat([Buffer.from([8]), Buffer.alloc(8, 0xff), Buffer.from([0x3f])]);
  const line = Buffer.concat([Buffer.from([8, 1]), lengthDelimited(2, seconds), Buffer.from([0x7a, 1, 120])]);
  call.outbox.push(lengthDelimited(1, lengthDelimited(2, line)));
  expect((await end.ended).how).toMatchObject({ kind: "failed", cause: { reason: "INVALID_FIELD" } });
  expect(end.texts).toEqual([]);
});

test("bytes that are not a frame end only the call", async () => {
  yoda.expect(mallory);
  const { converse } = strictDefinition(PeerServiceService);
  const options = { softBytes: 1024, hardBytes: 1024, maxFrameBytes: 1024 };
  const call = openBidi(await mallory.dial(yoda), converse, undefined, options);
  call.outbox.push(Buffer.from([0xff, 0xff, 0xff]));
  const ended = call[Symbol.asyncIterator]().next();
  await expect(ended).rejects.toMatchObject({ reason: "UNDECODABLE" });
});
