// The halves of a relay over transports that take nothing, or all: what waits, and when credit is given.
import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { RelayResponse } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { Outbox } from "../../../rpc/calls/outbox.ts";
import { limits } from "../../../server/limits.ts";
import { RelayHalf } from "../../../server/private/relay-half.ts";

/** A transport that takes a frame when it is told to. */
class Transport extends EventEmitter {
  readonly frames: RelayResponse[] = [];
  readonly outbox = new Outbox(this, {
    softBytes: limits.relaySoftBytes,
    hardBytes: limits.relayHardBytes,
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

function halves() {
  const [here, there] = [new Transport(), new Transport()];
  const [half, other] = [
    new RelayHalf(here.outbox, () => undefined),
    new RelayHalf(there.outbox, () => undefined),
  ];
  half.join(other);
  other.join(half);
  return { here, there, half, other };
}

test("for one that never reads no more waits than the window, and the smallest pieces are held back", async () => {
  const { there, half } = halves();
  const piece = Buffer.alloc(1);
  let accepted = 0;
  let isHeldBack = false;
  while (!isHeldBack && accepted < limits.relayWindowBytes) {
    const room = half.accept(piece).then(() => "room");
    accepted++;
    isHeldBack =
      (await Promise.race([room, Promise.resolve().then(() => Promise.resolve("none"))])) === "none";
  }
  expect(isHeldBack).toBe(true);
  expect(there.outbox.bytes).toBeLessThan(limits.relaySoftBytes + 100);
});

test("no credit comes before the other one has taken something, and then at the rate", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "performance"] });
  try {
    const { here, there, half } = halves();
    await here.takeAll();
    for (let sent = 0; sent < limits.relayWindowBytes; sent += limits.relayPieceBytes) {
      await half.accept(Buffer.alloc(limits.relayPieceBytes));
    }
    await expect(half.accept(Buffer.alloc(1))).rejects.toMatchObject({
      message: "More was sent through the relay than there was credit for.",
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(here.credit).toBe(0);
    // Ten seconds of quiet earned one window, and no more.
    await there.takeAll();
    await here.outbox.whenFlushed();
    expect(here.credit).toBe(limits.relayWindowBytes);
    for (let sent = 0; sent < limits.relayWindowBytes; sent += limits.relayPieceBytes) {
      await half.accept(Buffer.alloc(limits.relayPieceBytes));
    }
    await there.outbox.whenFlushed();
    const before = here.credit;
    await vi.advanceTimersByTimeAsync(100);
    await here.outbox.whenFlushed();
    const earned = here.credit - before;
    expect(earned).toBeGreaterThanOrEqual(limits.relayCreditBytes);
    expect(earned).toBeLessThanOrEqual(limits.relayBytesPerSecond * 0.11);
  } finally {
    vi.useRealTimers();
  }
});

test("one that takes nothing at all for a minute has to go, and the other with it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "performance"] });
  try {
    const { here, half, other } = halves();
    await here.takeAll();
    await half.accept(Buffer.alloc(10));
    await vi.advanceTimersByTimeAsync(limits.slowReaderMs + limits.slowReaderMs / 10);
    expect(await other.ended).toMatchObject({ message: expect.stringContaining("too slowly") as string });
    other[Symbol.dispose]();
    expect(await half.ended).toMatchObject({
      message: expect.stringContaining("has left the relay") as string,
    });
  } finally {
    vi.useRealTimers();
  }
});
