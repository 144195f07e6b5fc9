// How long an introduced peer may keep its connections: until its conversation has ended or its opening was refused.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { peerLimits } from "../../../rpc/peers/peer-listener.ts";
import { Device } from "./device.ts";
import { PeerConnection } from "./peer-connection.ts";

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

test("a connection is closed after a refused opening, and the caller receives the reason", async () => {
  yoda.expect(mallory);
  const connection = await PeerConnection.of(yoda, mallory);
  expect(await connection.converse("made-up").ended).toMatchObject({ reason: "INTRODUCTION_INVALID" });
  await connection.closed;
});

test("a connection is closed after the last signals of its conversation", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const connection = await PeerConnection.of(yoda, mallory);
  const call = connection.converse(introductionId);
  const { end } = await arrived;
  end.conversation.send("well met");
  call.send({
    $case: "line",
    value: { number: 1n, time: undefined, content: { $case: "text", value: "hi" } },
  });
  call.send({ $case: "goodbye", value: { ending: Ending.STOPPED } });
  expect((await end.ended).how).toMatchObject({ kind: "goodbye", by: "them" });
  await connection.closed;
  // Everything that was in transit arrives, and a status.
  expect(call.kinds).toEqual(expect.arrayContaining(["opening", "line", "marks"]));
  expect((await call.ended)?.reason).toBeUndefined();
});

test("a refused second call does not end the conversation of the first one", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const connection = await PeerConnection.of(yoda, mallory);
  const call = connection.converse(introductionId);
  await call.opened;
  // The connection accepts further calls.
  for (const another of [introductionId, "made-up"]) {
    expect(await connection.converse(another).ended).toMatchObject({ reason: "INTRODUCTION_INVALID" });
  }
  const { end } = await arrived;
  call.send({
    $case: "line",
    value: { number: 1n, time: undefined, content: { $case: "text", value: "hi" } },
  });
  await end.until(({ lines }) => lines.length === 1);
  call.send({ $case: "goodbye", value: { ending: Ending.STOPPED } });
  await connection.closed;
});

test("the unused ones of several connections for one introduction are closed", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const connections = await Promise.all([1, 2, 3].map(() => PeerConnection.of(yoda, mallory)));
  const [first, ...others] = connections;
  first?.converse(introductionId);
  await Promise.all(others.map(({ closed }) => closed));
  const { end } = await arrived;
  expect(end.conversation.isOver).toBe(false);
  await expect(PeerConnection.of(yoda, mallory)).rejects.toThrow();
});

test("connections stay open while another introduction of the same device is valid", async () => {
  const first = yoda.expect(mallory);
  const second = yoda.expect(mallory);
  const connections = [await PeerConnection.of(yoda, mallory), await PeerConnection.of(yoda, mallory)];
  connections[0]?.converse(first.introductionId);
  await first.arrived;
  connections[1]?.converse(second.introductionId);
  await second.arrived;
});

test("a connection is closed when its introduction is withdrawn", async () => {
  const { withdraw } = yoda.expect(mallory);
  const connection = await PeerConnection.of(yoda, mallory);
  withdraw();
  await connection.closed;
});

test("a device can have at most eight connections, and other devices can still connect", async () => {
  const { introductionId } = yoda.expect(mallory);
  const connections: PeerConnection[] = [];
  for (let count = 0; count < 8; count++) connections.push(await PeerConnection.of(yoda, mallory));
  for (let count = 0; count < peerLimits.connections; count++) {
    await expect(PeerConnection.of(yoda, mallory)).rejects.toThrow();
  }
  await using luke = await Device.make();
  const { arrived, introductionId: ofLuke } = yoda.expect(luke);
  await luke.call(yoda, ofLuke);
  await arrived;
  // The open connections still work.
  await connections[7]?.converse(introductionId).opened;
});

test("strangers who hold connections do not keep an introduced device out", async () => {
  const strangers: Socket[] = [];
  for (let count = 0; count < 2 * peerLimits.handshakes; count++) {
    const socket = connect({ host: "127.0.0.1", port: yoda.server.port ?? 0 });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    strangers.push(socket);
  }
  const { introductionId, arrived } = yoda.expect(mallory);
  await mallory.call(yoda, introductionId);
  await arrived;
  await expect
    .poll(() => strangers.filter(({ closed }) => !closed).length)
    .toBeLessThanOrEqual(peerLimits.handshakesPerAddress);
  for (const socket of strangers) socket.destroy();
});
