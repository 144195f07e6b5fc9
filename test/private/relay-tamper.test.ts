// A relay that changes bytes: both devices detect it, end the chat, and show no changed line.
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { openConverse } from "../../client/peer/conversation/converse.ts";
import { channelOver, securedBy } from "../../rpc/peers/peer-dial.ts";
import { Device, End } from "../client/peer/device.ts";

/** Changes the pieces from one end to the other. */
type Tamper = (pieces: Buffer[]) => Buffer[];

/** Two connected streams; `tamper` can change the data from the first to the second one. */
class Wire {
  readonly near: Duplex;
  readonly far: Duplex;
  tamper: Tamper | undefined;
  #collected: Buffer[] = [];

  constructor() {
    this.near = this.#end(() => this.far, true);
    this.far = this.#end(() => this.near, false);
  }

  #end(other: () => Duplex, isTampered: boolean): Duplex {
    return new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        for (const piece of isTampered ? this.#forward(chunk) : [chunk]) other().push(piece);
        done();
      },
      final: (done) => {
        other().push(null);
        done();
      },
      destroy: (error, done) => {
        if (!other().destroyed) other().push(null);
        done(error);
      },
    });
  }

  /** Collects two pieces before it changes them, so that they can be reordered. */
  #forward(chunk: Buffer): Buffer[] {
    if (this.tamper === undefined) return [chunk];
    this.#collected.push(chunk);
    if (this.#collected.length < 2) return [];
    const pieces = this.#collected;
    this.#collected = [];
    return this.tamper(pieces);
  }
}

async function overWire(): Promise<{ wire: Wire; a: End; b: End; devices: Device[] }> {
  const [luke, yoda] = [await Device.make(), await Device.make()];
  const wire = new Wire();
  const { introductionId, arrived } = yoda.expect(luke);
  yoda.server.accept(wire.far);
  const socket = await securedBy(wire.near, "yoda", {
    own: luke.own,
    peer: yoda.fingerprint,
    timeoutMs: 5_000,
  });
  const opening = { introductionId, clientName: "", clientVersion: "" };
  const a = new End(await openConverse(await channelOver(socket), opening));
  const { end: b, path } = await arrived;
  expect(path).toBe("relayed");
  return { wire, a, b, devices: [luke, yoda] };
}

test("an unchanged stream carries the chat", async () => {
  const { a, b, devices } = await overWire();
  a.conversation.send("hello");
  await b.until(({ lines }) => lines.length === 1);
  for (const device of devices) await device[Symbol.asyncDispose]();
});

test.each<[string, Tamper]>([
  ["flipped", ([first = Buffer.alloc(0), ...others]) => [flipped(first), ...others]],
  ["dropped", ([, ...others]) => others],
  ["doubled", ([first = Buffer.alloc(0), ...others]) => [first, first, ...others]],
  ["reordered", (pieces) => [...pieces].reverse()],
  ["truncated", ([first = Buffer.alloc(0), ...others]) => [first.subarray(0, -1), ...others]],
])("%s bytes end the chat on both devices, and the undelivered lines are reported", async (_how, tamper) => {
  const { wire, a, b, devices } = await overWire();
  a.conversation.send("true words");
  await b.until(({ lines }) => lines.length === 1);
  wire.tamper = tamper;
  a.conversation.send("tampered with");
  await new Promise((resolve) => setImmediate(resolve));
  for (let line = 0; line < 20; line++) {
    if (wire.near.destroyed) break;
    a.conversation.send("and again");
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [atLuke, atYoda] = await Promise.all([a.ended, b.ended]);
  for (const { how } of [atLuke, atYoda]) {
    expect(how).toMatchObject({ kind: "failed", cause: { reason: "CONNECTION_TAMPERED" } });
  }
  expect(atLuke.undelivered[0]).toBe("tampered with");
  expect(b.texts.filter((text) => !["true words", "tampered with", "and again"].includes(text))).toEqual([]);
  for (const device of devices) await device[Symbol.asyncDispose]();
});

function flipped(piece: Buffer): Buffer {
  const copy = Buffer.from(piece);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
