// The outbox, on a fake stream whose transport the test controls.
import { EventEmitter } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Outbox, type OutboxOptions, type Sink } from "../../rpc/calls/outbox.ts";

class FakeStream extends EventEmitter implements Sink {
  readonly frames: Buffer[] = [];
  readonly #untaken: ((error?: Error | null) => void)[] = [];

  write(frame: Buffer, written: (error?: Error | null) => void): boolean {
    this.frames.push(frame);
    this.#untaken.push(written);
    return true;
  }

  /** The transport takes the oldest frame. */
  take(error?: Error): void {
    this.#untaken.shift()?.(error ?? null);
  }

  get untaken(): number {
    return this.#untaken.length;
  }
}

const piece = (length: number, fill = 1): Buffer => Buffer.alloc(length, fill);

function open(options: Partial<OutboxOptions> = {}): { stream: FakeStream; outbox: Outbox } {
  const stream = new FakeStream();
  const outbox = new Outbox(stream, {
    softBytes: 10_000,
    hardBytes: 20_000,
    maxFrameBytes: 1_000,
    ...options,
  });
  return { stream, outbox };
}

test("pieces pushed in one turn of the event loop are sent as one frame, in order", async () => {
  const { stream, outbox } = open();
  outbox.push(piece(10, 1));
  outbox.push(piece(20, 2));
  await nextTurn();
  outbox.push(piece(5, 3));
  await nextTurn();
  expect(stream.frames).toEqual([Buffer.concat([piece(10, 1), piece(20, 2)]), piece(5, 3)]);
});

test("a frame has at most maxFramePieces", async () => {
  const { stream, outbox } = open({ maxFramePieces: 2 });
  for (let fill = 1; fill <= 5; fill++) outbox.push(piece(10, fill));
  await nextTurn();
  const frame = (...fills: number[]): Buffer => Buffer.concat(fills.map((fill) => piece(10, fill)));
  expect(stream.frames).toEqual([frame(1, 2), frame(3, 4), frame(5)]);
});

test("a single piece is not copied, also if several outboxes send it", async () => {
  const one = open();
  const other = open();
  const shared = piece(100);
  one.outbox.push(shared);
  other.outbox.push(shared);
  await nextTurn();
  expect(one.stream.frames[0]?.buffer).toBe(shared.buffer);
  expect(other.stream.frames[0]?.buffer).toBe(shared.buffer);
});

test("a frame has at most maxFrameBytes; a larger piece is sent alone", async () => {
  const { stream, outbox } = open({ maxFrameBytes: 100 });
  for (const length of [60, 60, 30, 250, 10]) outbox.push(piece(length));
  while (outbox.bytes > 0) {
    await nextTurn();
    stream.take();
  }
  expect(stream.frames.map((frame) => frame.length)).toEqual([60, 90, 250, 10]);
});

test("a stream that takes nothing receives only a few frames", async () => {
  const { stream, outbox } = open({ hardBytes: 1_000_000 });
  for (let turn = 0; turn < 50; turn++) {
    outbox.push(piece(10));
    await nextTurn();
  }
  expect(stream.untaken).toBeLessThan(16);
  const large = open({ hardBytes: 1_000_000, maxFrameBytes: 1_000 });
  for (let turn = 0; turn < 50; turn++) large.outbox.push(piece(900));
  await nextTurn();
  expect(large.stream.untaken).toBeLessThanOrEqual(2);
});

test("no piece is lost or reordered, whenever the stream takes frames", async () => {
  const { stream, outbox } = open({ hardBytes: 1_000_000, softBytes: 1_000_000, maxFrameBytes: 64 });
  const sent: Buffer[] = [];
  for (let index = 0; index < 1_000; index++) {
    const next = piece(1 + (index % 50), index % 256);
    sent.push(next);
    outbox.push(next);
    if (index % 7 === 0) await nextTurn();
    if (index % 3 === 0) stream.take();
  }
  while (outbox.bytes > 0) {
    await nextTurn();
    stream.take();
  }
  expect(Buffer.concat(stream.frames)).toEqual(Buffer.concat(sent));
});

test("above softBytes, whenBelowSoft waits until enough is taken", async () => {
  const { stream, outbox } = open({ softBytes: 1_500, maxFrameBytes: 1_000 });
  outbox.push(piece(900));
  expect(outbox.aboveSoft).toBe(false);
  await outbox.whenBelowSoft();
  outbox.push(piece(900));
  expect(outbox.aboveSoft).toBe(true);
  let isBelow = false;
  const below = outbox.whenBelowSoft().then(() => {
    isBelow = true;
  });
  await nextTurn();
  expect(isBelow).toBe(false);
  stream.take();
  await below;
  expect(outbox.aboveSoft).toBe(false);
});

test("a push over hardBytes closes it once, drops the queue, and later pushes have no effect", async () => {
  const { stream, outbox } = open({ hardBytes: 2_000, maxFrameBytes: 1_000 });
  const events: string[] = [];
  outbox.onOverflow(() => events.push("overflow"));
  outbox.onClosed(() => events.push("closed"));
  let pushed = 0;
  while (!outbox.closed) {
    outbox.push(piece(100));
    pushed += 1;
  }
  outbox.push(piece(100));
  expect(pushed).toBeLessThanOrEqual(20);
  expect(events).toEqual(["overflow", "closed"]);
  expect(outbox.overflowed).toBe(true);
  await nextTurn();
  expect(stream.frames).toEqual([]);
  outbox.onOverflow(() => events.push("late"));
  expect(events).toContain("late");
});

test("small pieces count with their memory overhead", () => {
  const { outbox } = open({ hardBytes: 10_000 });
  let pushed = 0;
  while (!outbox.closed) {
    outbox.push(piece(1));
    pushed += 1;
  }
  expect(pushed).toBeLessThan(200);
});

test.each(["cancelled", "close", "error", "status"])("%s closes it and ends all waits", async (event) => {
  const { stream, outbox } = open({ softBytes: 10 });
  outbox.push(piece(100));
  const waiting = Promise.all([outbox.whenBelowSoft(), outbox.whenFlushed()]);
  await nextTurn();
  stream.on("error", () => {});
  stream.emit(event, new Error("gone"));
  await waiting;
  expect(outbox.closed).toBe(true);
  expect(outbox.bytes).toBe(0);
  expect(outbox.overflowed).toBe(false);
  outbox.push(piece(1));
  await nextTurn();
  expect(stream.frames).toHaveLength(1);
  // It leaves no listener on the stream.
  for (const name of ["cancelled", "close", "status"]) expect(stream.listenerCount(name)).toBe(0);
});

test("a failed write closes it", async () => {
  const { stream, outbox } = open();
  outbox.push(piece(10));
  await nextTurn();
  stream.take(new Error("write after end"));
  expect(outbox.closed).toBe(true);
});

test("whenFlushed resolves when the transport has taken everything", async () => {
  const { stream, outbox } = open();
  await outbox.whenFlushed();
  outbox.push(piece(10));
  let isFlushed = false;
  const flushed = outbox.whenFlushed().then(() => {
    isFlushed = true;
  });
  await nextTurn();
  await nextTurn();
  expect(isFlushed).toBe(false);
  stream.take();
  await flushed;
});

test("stalledMs is the time without progress", async () => {
  const { stream, outbox } = open();
  expect(outbox.stalledMs).toBe(0);
  outbox.push(piece(10));
  const start = performance.now();
  while (performance.now() - start < 5) await nextTurn();
  expect(outbox.stalledMs).toBeGreaterThanOrEqual(4);
  stream.take();
  expect(outbox.stalledMs).toBe(0);
});
