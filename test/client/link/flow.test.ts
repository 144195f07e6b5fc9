// Flow control for slow readers, collected markers, retry delays, and dead connections.
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { MemoryCursors } from "../../../client/link/model/cursors.ts";
import { EventBuffer } from "../../../client/link/receiving/event-buffer.ts";
import { Backoff } from "../../../client/link/server/backoff.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { FakeServer, hans } from "./fake-server.ts";
import { open, seqs } from "./fixture.ts";

test("a slow reader stops the server from sending, and memory stays bounded", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, { maxBufferedEvents: 10 });
  const stream = await server.stream();
  await stream.hello();
  stream.welcome();
  const text = "x".repeat(1000);
  const frames = 2_000;
  for (let n = 1; n <= frames; n++) stream.entries(n, n, "c2", text);
  await client.entries(1);
  // The network and gRPC buffer some frames; most of them must wait at the server.
  await expect.poll(() => stream.unsentFrames, { timeout: 5_000 }).toBeGreaterThan(frames / 2);
  expect(seqs(await client.entries(frames - 1)).at(-1)).toBe(frames);
  expect(stream.unsentFrames).toBe(0);
});

test("a program that only sends needs no reader", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  {
    await using client = open(server, { readEvents: false, maxBufferedEvents: 10, cursors });
    const stream = await server.liveStream();
    for (let n = 0; n < 100; n++) stream.entries(n * 10 + 1, n * 10 + 10);
    const sending = client.link.send({ kind: "broadcast" }, "hello");
    const { clientMessageId } = await stream.command("broadcast");
    stream.ack(clientMessageId, 1, "c1");
    await sending.done;
  }
  expect(cursors.load()).toMatchObject([
    { conversationId: "c1", seq: 1n },
    { conversationId: "c2", seq: 1000n },
  ]);
});

test("delivered markers follow the reader, and are sent together with read markers", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  await using client = open(server, { cursors });
  const stream = await server.liveStream();
  stream.entries(1, 50);
  stream.entries(1, 3, "c3");
  await client.entries(53);
  client.link.markRead("c2", 20n);
  client.link.markRead("c2", 10n);
  const { markers } = await stream.command("setMarkers");
  expect(markers).toEqual([
    { conversationId: "c2", deliveredSeq: 50n, readSeq: 20n },
    { conversationId: "c3", deliveredSeq: 2n, readSeq: 0n },
  ]);
  await expect
    .poll(() => cursors.load().find(({ conversationId }) => conversationId === "c2"))
    .toMatchObject({
      seq: 50n,
      deliveredSeq: 50n,
      readSeq: 20n,
    });
});

test("markers of a lost stream are repeated on the next one, except those for own sends", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.liveStream();
  const sending = client.link.send({ kind: "user", username: "yoda" }, "hello");
  first.ack((await first.sent()).id, 1, "c7");
  await sending.done;
  client.link.markRead("c2", 4n);
  expect((await first.command("setMarkers")).markers).toEqual([
    { conversationId: "c2", deliveredSeq: 4n, readSeq: 4n },
  ]);
  server.relay.cut();
  const second = await server.liveStream();
  expect((await second.command("setMarkers")).markers).toMatchObject([{ conversationId: "c2", readSeq: 4n }]);
});

test("a process sends the delivered markers that an ended process did not send", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  const common = { kind: "unknown", peer: undefined, readSeq: 0n } as const;
  cursors.raise([
    { ...common, conversationId: "c2", seq: 5n, deliveredSeq: 3n },
    { ...common, conversationId: "c3", seq: 5n, deliveredSeq: 5n },
  ]);
  await using client = open(server, { cursors });
  const stream = await server.liveStream();
  await client.phase("live");
  expect((await stream.command("setMarkers")).markers).toEqual([
    { conversationId: "c2", deliveredSeq: 5n, readSeq: 0n },
  ]);
});

test("events of an ended link can still be read and move cursors; those of a closed link do not", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  {
    await using client = open(server, { cursors });
    const stream = await server.liveStream();
    stream.entries(1, 4);
    stream.end(new RpcError({ code: status.UNAUTHENTICATED, reason: "SESSION_ENDED", message: "over" }));
    await expect.poll(() => client.link.state.phase).toBe("ended");
    await client.entries(3);
    expect(cursors.load()).toMatchObject([{ seq: 2n }]);
  }
  const closed = open(server, { cursors });
  (await server.liveStream()).entries(3, 9);
  await closed.phase("live");
  await closed.entries(1);
  await closed[Symbol.asyncDispose]();
  await closed.phase("ended");
  expect(cursors.load()).toMatchObject([{ seq: 2n }]);
});

test("an event from before a reset moves no cursor after it", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  {
    await using client = open(server, { cursors });
    const first = await server.liveStream();
    first.entries(1, 9);
    await client.entries(1);
    server.relay.cut();
    const second = await server.stream();
    await second.hello();
    second.end(new RpcError({ code: status.OUT_OF_RANGE, reason: "CURSOR_BEYOND_HEAD", message: "no" }));
    const third = await server.stream();
    expect((await third.hello()).cursors).toEqual([]);
    third.welcome();
    third.entries(1, 3);
    await client.next("reset");
    expect(seqs(await client.entries(3))).toEqual([1, 2, 3]);
  }
  expect(cursors.load()).toMatchObject([{ seq: 2n }]);
});

test("with deliveredMarkers off no marker is sent, and markers of another device are reported and stored", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  await using client = open(server, { cursors, deliveredMarkers: false });
  const stream = await server.liveStream();
  stream.entries(1, 5);
  await client.entries(5);
  stream.send({
    $case: "markersMoved",
    value: {
      conversationId: "c2",
      user: hans,
      deliveredSeq: 5n,
      readSeq: 5n,
      deliveredTime: undefined,
      readTime: undefined,
      undelivered: [],
    },
  });
  expect(await client.next("markers")).toMatchObject({ mine: true, readSeq: 5n });
  await expect.poll(() => cursors.load()).toMatchObject([{ seq: 5n, readSeq: 5n }]);
  expect(stream.waiting).toBe(0);
});

test("a dead connection is detected and replaced", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, {}, { keepalive: { timeMs: 200, timeoutMs: 200 } });
  await server.liveStream();
  await client.phase("live");
  server.relay.freeze();
  expect(await client.phase("waiting")).toMatchObject({ cause: { code: status.UNAVAILABLE } });
  server.answerStreams();
  await client.phase("live");
});

test("delays are random below a bound that doubles up to a cap, plus the delay that the server asked for", () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 30_000, random: () => 0.5 });
  expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([
    250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000,
  ]);
  expect(backoff.next(2_000)).toBe(17_000);
  backoff.reset();
  expect(backoff.next(2_000)).toBe(2_250);
  const jittered = new Backoff();
  for (let left = 200; left > 0; left--) expect(jittered.next()).toBeLessThanOrEqual(30_000);
});

test("an event counts as taken when the reader asks for the next one or stops", async () => {
  const buffer = new EventBuffer<number>(10, 1_000);
  const taken: number[] = [];
  for (const n of [1, 2, 3]) buffer.push(n, 1, () => taken.push(n));
  for await (const n of buffer) {
    expect(taken).not.toContain(n);
    if (n === 2) break;
  }
  expect(taken).toEqual([1, 2]);
  const reader = buffer[Symbol.asyncIterator]();
  expect(() => buffer[Symbol.asyncIterator]()).toThrow(/reader/);
  expect(await reader.next()).toMatchObject({ value: 3 });
  buffer.end();
  expect(await reader.next()).toMatchObject({ done: true });
  expect(taken).toEqual([1, 2, 3]);
});

test("a buffer is full by number of events or by bytes, and has room after a read", async () => {
  for (const bytes of [1, 50]) {
    const buffer = new EventBuffer<number>(bytes === 1 ? 2 : 100, 100);
    buffer.push(1, bytes);
    await buffer.room();
    buffer.push(2, bytes);
    expect(buffer.full).toBe(true);
    let free = false;
    const room = buffer.room().then(() => {
      free = true;
    });
    const reader = buffer[Symbol.asyncIterator]();
    expect(free).toBe(false);
    await reader.next();
    await room;
    expect(buffer.full).toBe(false);
  }
});
