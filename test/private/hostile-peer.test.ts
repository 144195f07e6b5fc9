// What a device does to one that was introduced and then breaks the rules: it is refused with a reason, and nobody else
// notices. The peer here is a client made straight from the proto.
import { connect } from "node:http2";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conversationLimits, NotSentError } from "../../client/peer/conversation/line-rules.ts";
import {
  ConverseRequest,
  type ConverseResponse,
  Ending,
  PeerServiceClient,
  PeerServiceService,
  type Signal,
} from "../../gen/parley/peer/v1/peer_service.ts";
import { lengthDelimited, strictDefinition } from "../../rpc/calls/decode.ts";
import { openBidi } from "../../rpc/dialling/client-stream.ts";
import type { Dialled } from "../../rpc/dialling/dial.ts";
import { dialPeerAt } from "../../rpc/peers/peer-dial.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import { Device, type End } from "../client/peer/device.ts";

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

type Kind = NonNullable<Signal["kind"]>;

const openingOf = (introductionId: string): Kind => ({
  $case: "opening",
  value: { introductionId, clientName: "m", clientVersion: "" },
});
const lineOf = (number: bigint, text: string, time?: string): Kind => ({
  $case: "line",
  value: {
    number,
    time: time === undefined ? undefined : new Date(time),
    content: { $case: "text", value: text },
  },
});
const marksOf = (received: bigint, read: bigint): Kind => ({ $case: "marks", value: { received, read } });

const finished: Kind = { $case: "finished", value: {} };

/** A call whose frames are written by hand. */
class RawCall {
  readonly responses: ConverseResponse[] = [];
  readonly ended: Promise<RpcError>;
  readonly #call: ReturnType<PeerServiceClient["converse"]>;
  readonly #opened = Promise.withResolvers<void>();

  constructor(dialled: Dialled) {
    this.#call = dialled.client(PeerServiceClient).converse();
    this.#call.on("data", (response: ConverseResponse) => {
      this.responses.push(response);
      this.#opened.resolve();
    });
    this.ended = new Promise((resolve) => {
      this.#call.on("error", (error) => resolve(fromServiceError(error)));
    });
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  send(...kinds: Kind[]): void {
    this.#call.write({ signals: kinds.map((kind) => ({ kind })) });
  }

  sendMany(signals: Signal[]): void {
    this.#call.write({ signals });
  }

  /** What came so far. */
  get kinds(): (Kind["$case"] | undefined)[] {
    return this.responses.flatMap(({ signals }) => signals.map(({ kind }) => kind?.$case));
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }
}

async function admitted(): Promise<{ call: RawCall; end: End }> {
  const { introductionId, arrived } = yoda.expect(mallory);
  const call = new RawCall(await mallory.dial(yoda));
  call.send(openingOf(introductionId));
  const { end } = await arrived;
  await call.opened;
  return { call, end };
}

test("a client made from the proto, given the certificates, holds a chat", async () => {
  const { call, end } = await admitted();
  call.send(lineOf(1n, "hello"), lineOf(2n, "there"));
  await end.until(({ lines }) => lines.length === 2);
  expect(end.texts).toEqual(["hello", "there"]);
  end.conversation.send("well met");
  end.conversation.markRead();
  await expect.poll(() => call.kinds).toEqual(expect.arrayContaining(["opening", "line", "marks"]));
  call.send({ $case: "goodbye", value: { ending: 1 } });
  expect((await end.ended).how).toMatchObject({ kind: "goodbye", by: "them", ending: 1 });
});

test("where both have said all, the goodbye waits until the own lines are known to have arrived", async () => {
  const { call, end } = await admitted();
  end.conversation.send("the last word");
  end.conversation.finish();
  call.send(finished);
  // By the time this is heard, the frame before it has been dealt with.
  call.send({ $case: "typing", value: { typing: true } });
  await end.until(({ typing }) => typing.length === 1);
  expect(end.conversation.isOver).toBe(false);
  call.send(marksOf(1n, 0n));
  expect(await end.ended).toMatchObject({ how: { by: "me", ending: Ending.FINISHED }, undelivered: [] });
});

test("the last words of the other one are acknowledged before the goodbye", async () => {
  const { call, end } = await admitted();
  end.answersFinished = true;
  call.send(lineOf(1n, "the last word"), finished);
  expect(await end.ended).toMatchObject({ how: { by: "me", ending: Ending.FINISHED } });
  await expect.poll(() => call.kinds).toEqual(["opening", "finished", "marks", "goodbye"]);
});

describe("is refused for", () => {
  test.each<[string, Kind[], string]>([
    ["a line out of order", [lineOf(2n, "skipped one")], "LINE_OUT_OF_ORDER"],
    ["a line that comes twice", [lineOf(1n, "once"), lineOf(1n, "once")], "LINE_OUT_OF_ORDER"],
    ["a line numbered 0", [lineOf(0n, "none")], "LINE_OUT_OF_ORDER"],
    ["a line after the last", [lineOf(1n, "all"), finished, lineOf(2n, "and more")], "LINE_OUT_OF_ORDER"],
    ["an empty line", [lineOf(1n, "")], "INVALID_FIELD"],
    ["a line that is too long", [lineOf(1n, "x".repeat(conversationLimits.lineBytes + 1))], "INVALID_FIELD"],
    ["a line of the year 0", [lineOf(1n, "old", "0000-12-31T23:59:59.999Z")], "INVALID_FIELD"],
    ["a line of the year 10000", [lineOf(1n, "new", "+010000-01-01T00:00:00Z")], "INVALID_FIELD"],
    ["marks for lines that were never said", [marksOf(1n, 0n)], "MARKS_INVALID"],
    ["marks that read more than was received", [marksOf(0n, 1n)], "MARKS_INVALID"],
    ["a second opening", [openingOf("again")], "OPENING_EXPECTED"],
  ])("%s", async (_what, kinds, reason) => {
    const { call, end } = await admitted();
    call.send(...kinds);
    expect((await call.ended).reason).toBe(reason);
    expect((await end.ended).how).toMatchObject({ kind: "failed", cause: { reason } });
  });

  test("too many signals in one frame", async () => {
    const { call, end } = await admitted();
    call.sendMany(Array.from({ length: 101 }, () => ({ kind: undefined })));
    expect((await call.ended).reason).toBe("INVALID_FIELD");
    await end.ended;
  });

  test.each<[string, (introductionId: string) => Kind[]]>([
    ["a first frame that is no opening", () => [lineOf(1n, "hello")]],
    ["an opening that does not come alone", (id) => [openingOf(id), lineOf(1n, "hello")]],
    ["an empty first frame", () => []],
  ])("%s", async (_what, first) => {
    const { introductionId } = yoda.expect(mallory);
    const call = new RawCall(await mallory.dial(yoda));
    call.send(...first(introductionId));
    expect((await call.ended).reason).toBe("OPENING_EXPECTED");
  });

  test("another introduction than its own", async () => {
    yoda.expect(mallory);
    const call = new RawCall(await mallory.dial(yoda));
    call.send(openingOf("made-up"));
    expect((await call.ended).reason).toBe("INTRODUCTION_INVALID");
  });
});

test("what is of a kind that is not known here is passed over", async () => {
  const { call, end } = await admitted();
  call.sendMany([{ kind: undefined }]);
  call.send(
    { $case: "line", value: { number: 1n, time: undefined, content: undefined } },
    lineOf(2n, "known"),
  );
  await end.until(({ lines }) => lines.length === 2);
  expect(end.texts).toEqual(["?", "known"]);
});

test("one who never reads fills nothing: what is said to it is refused here", async () => {
  const { call, end } = await admitted();
  call.pause();
  const text = "y".repeat(16 * 1024);
  const sayAll = (): void => {
    for (let line = 0; line < 10_000; line++) end.conversation.send(text);
  };
  expect(sayAll).toThrow(NotSentError);
  expect(end.conversation.isFull).toBe(true);
});

test("one who takes nothing at all is let go, rather than kept with a chat that says nothing", async () => {
  const { introductionId, over } = yoda.expectRaw(mallory, (stream) => {
    const signal = Buffer.alloc(60_000);
    // Beyond what the outbox holds: marks alone get there when somebody floods for minutes.
    for (let piece = 0; piece < 40; piece++) stream.write(signal);
  });
  const call = new RawCall(await mallory.dial(yoda));
  call.pause();
  call.send(openingOf(introductionId));
  await over;
  call.resume();
  expect((await call.ended).reason).toBe("PEER_GONE");
});

test("a flood is read at a steady pace, and another chat goes on meanwhile", async () => {
  const { call, end } = await admitted();
  for (let line = 1n; line <= 5_000n; line++) call.send(lineOf(line, "flood"));
  await using luke = await Device.make();
  const { introductionId, arrived } = yoda.expect(luke);
  const a = await luke.call(yoda, introductionId);
  const b = (await arrived).end;
  a.conversation.send("can you hear me?");
  await b.until(({ lines }) => lines.length === 1);
  const bound = 3 * conversationLimits.signalsPerSecond;
  await end.until(({ lines }) => lines.length > 10);
  expect(end.heard.lines.length).toBeLessThan(bound);
});

test("a goodbye of one who takes nothing ends it within a moment", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const { own } = mallory;
  const socket = await dialPeerAt([yoda.address], { own, peer: yoda.fingerprint, timeoutMs: 5_000 });
  // Room for an opening, and for little more.
  const session = connect("http://peer", {
    createConnection: () => socket,
    settings: { initialWindowSize: 100 },
  });
  const { path } = PeerServiceService.converse;
  const call = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  const send = (kind: Kind): void => {
    const message = ConverseRequest.encode({ signals: [{ kind }] }).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    call.write(Buffer.concat([head, message]));
  };
  send(openingOf(introductionId));
  const { end } = await arrived;
  end.conversation.send("y".repeat(1_000));
  send({ $case: "goodbye", value: { ending: 1 } });
  const { how, undelivered } = await end.ended;
  expect(how).toMatchObject({ kind: "goodbye", by: "them" });
  expect(undelivered).toHaveLength(1);
  session.destroy();
});

test("one who does not take the answer to its opening is not waited for", { timeout: 60_000 }, async () => {
  const introductionId = yoda.expectRaw(mallory, () => undefined).introductionId;
  const { own } = mallory;
  const socket = await dialPeerAt([yoda.address], { own, peer: yoda.fingerprint, timeoutMs: 5_000 });
  const session = connect("http://peer", {
    createConnection: () => socket,
    settings: { initialWindowSize: 0 },
  });
  session.on("error", () => {});
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  const call = session.request({
    ":method": "POST",
    ":path": PeerServiceService.converse.path,
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  call.on("error", () => {});
  const message = ConverseRequest.encode({ signals: [{ kind: openingOf(introductionId) }] }).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  call.write(Buffer.concat([head, message]));
  await closed;
});

test("a time that is none is refused before it is shown or kept", async () => {
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

test("bytes that are no frame end the call, and nothing else", async () => {
  yoda.expect(mallory);
  const { converse } = strictDefinition(PeerServiceService);
  const options = { softBytes: 1024, hardBytes: 1024, maxFrameBytes: 1024 };
  const call = openBidi(await mallory.dial(yoda), converse, undefined, options);
  call.outbox.push(Buffer.from([0xff, 0xff, 0xff]));
  const ended = call[Symbol.asyncIterator]().next();
  await expect(ended).rejects.toMatchObject({ reason: "UNDECODABLE" });
});
