// Tests the two halves of a relay over transports that take nothing or everything: queued bytes, and when credit is granted.
import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { RelayResponse } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { Outbox } from "../../../rpc/calls/outbox.ts";
import { limits } from "../../../server/limits.ts";
import { RelayHalf } from "../../../server/private/relay-half.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** A transport that takes no frame before takeAll(). */
class Transport extends EventEmitter {
  readonly frames: RelayResponse[] = [];
  readonly outbox = new Outbox(this, {
    softBytes: limits.relaySoftBytes,
    hardBytes: limits.relayHardBytes,
    pieceOverhead: limits.relayPieceOverhead,
    maxFrameBytes: 1,
  });
  isTaking = false;
  #waiting: (() => void)[] = [];

  write(frame: Buffer, written: () => void): boolean {
    this.frames.push(RelayResponse.decode(frame));
    if (this.isTaking) setImmediate(written);
    else this.#waiting.push(written);
    return true;
  }

  async takeAll(): Promise<void> {
    this.isTaking = true;
    for (const written of this.#waiting.splice(0)) written();
    await this.outbox.whenFlushed();
  }

  get credit(): number {
    return this.frames.reduce((sum, { kind }) => sum + (kind?.$case === "credit" ? kind.value : 0), 0);
  }
}

function halves(clock: Clock = systemClock) {
  const [near, far] = [new Transport(), new Transport()];
  const [half, other] = [
    new RelayHalf(near.outbox, () => undefined, clock),
    new RelayHalf(far.outbox, () => undefined, clock),
  ];
  half.join(other);
  other.join(half);
  return { near, far, half, other };
}

test("at most one window is queued for a device that never reads, and reading of the smallest pieces pauses", async () => {
  const { far, half } = halves();
  const piece = Buffer.alloc(1);
  let accepted = 0;
  let isPaused = false;
  while (!isPaused && accepted < limits.relayWindowBytes) {
    const room = half.accept(piece).then(() => "room");
    accepted++;
    isPaused = (await Promise.race([room, Promise.resolve().then(() => Promise.resolve("none"))])) === "none";
  }
  expect(isPaused).toBe(true);
  expect(far.outbox.bytes).toBeLessThan(limits.relaySoftBytes + 1_000);
  // A piece of one byte takes at least this much memory while it waits.
  expect(accepted).toBeLessThan(limits.relaySoftBytes / 240);
});

test("credit is granted after the other device has taken bytes, and at the rate of the relay", async () => {
  const clock = new ManualClock();
  const { near, far, half } = halves(clock);
  await near.takeAll();
  for (let sent = 0; sent < limits.relayWindowBytes; sent += limits.relayPieceBytes) {
    await half.accept(Buffer.alloc(limits.relayPieceBytes));
  }
  await expect(half.accept(Buffer.alloc(1))).rejects.toMatchObject({
    message: "The device sent more through the relay than it had credit for.",
  });
  clock.advance(10_000);
  await near.outbox.whenFlushed();
  expect(near.credit).toBe(0);
  // In ten seconds without data the bucket has filled up to one window, and no further.
  await far.takeAll();
  await near.outbox.whenFlushed();
  expect(near.credit).toBe(limits.relayWindowBytes);
  for (let sent = 0; sent < limits.relayWindowBytes; sent += limits.relayPieceBytes) {
    await half.accept(Buffer.alloc(limits.relayPieceBytes));
  }
  await far.outbox.whenFlushed();
  const before = near.credit;
  clock.advance(100);
  await near.outbox.whenFlushed();
  const granted = near.credit - before;
  expect(granted).toBeGreaterThanOrEqual(limits.relayCreditBytes);
  expect(granted).toBeLessThanOrEqual(limits.relayBytesPerSecond * 0.11);
});

test("a device that takes nothing for a minute ends both halves", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "performance"] });
  try {
    const { near, half, other } = halves();
    await near.takeAll();
    await half.accept(Buffer.alloc(10));
    await vi.advanceTimersByTimeAsync(limits.slowReaderMs + limits.slowReaderMs / 10);
    expect(await other.ended).toMatchObject({ reason: Reason.SLOW_READER });
    other[Symbol.dispose]();
    expect(await half.ended).toMatchObject({
      reason: Reason.RELAY_PEER_GONE,
    });
  } finally {
    vi.useRealTimers();
  }
});
