// An introduced device that attacks with HTTP/2 frames: its connection is closed, and other peers are not affected.
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dialPeerAt } from "../../rpc/peers/peer-dial.ts";
import { Device } from "../client/peer/device.ts";
import { greeted, openStream, resetStream } from "../rpc/raw-http2.ts";

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

/** An HTTP/2 connection of the introduced device, without gRPC. */
async function admitted(): Promise<TLSSocket> {
  yoda.expect(mallory);
  const options = { own: mallory.own, peer: yoda.fingerprint, timeoutMs: 5_000 };
  return greeted(await dialPeerAt([yoda.address], options));
}

/** Checks that another device can connect and send a line. */
async function anotherDeviceCanSend(): Promise<void> {
  await using luke = await Device.make();
  const { introductionId, arrived } = yoda.expect(luke);
  const there = await luke.call(yoda, introductionId);
  const { end } = await arrived;
  there.conversation.send("still with us?");
  await end.until(({ lines }) => lines.length === 1);
}

const converse = (id: number): Buffer => openStream(id, "Converse", "parley.peer.v1.PeerService");

test.each<[string, (id: number) => Buffer]>([
  ["opened and reset", (id) => Buffer.concat([converse(id), resetStream(id)])],
  ["opened and left open", converse],
])("a flood of streams that are %s closes the connection", async (_how, attack) => {
  const socket = await admitted();
  const closed = once(socket, "close");
  for (let id = 1; id < 40_000 && !socket.destroyed; id += 2) {
    if (!socket.write(attack(id))) await Promise.race([once(socket, "drain"), closed]);
  }
  await closed;
  await anotherDeviceCanSend();
});
