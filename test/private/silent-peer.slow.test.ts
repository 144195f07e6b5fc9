// Peers that read nothing or do not answer: each wait for one ends after some seconds.
import { connect } from "node:http2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConverseRequest, Ending, PeerServiceService } from "../../gen/parley/peer/v1/peer_service.ts";
import { dialPeerAt } from "../../rpc/peers/peer-dial.ts";
import { Device } from "../client/peer/device.ts";
import { admitted, finished, type Kind, lineOf, marksOf, openingOf } from "./raw-call.ts";

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

test("when both ends have finished, the goodbye waits until all lines of its sender are acknowledged", async () => {
  const { call, end } = await admitted(mallory, yoda);
  end.conversation.send("the last word");
  end.conversation.finish();
  call.send(finished);
  // When this arrives, the frame before it has been handled.
  call.send({ $case: "typing", value: { typing: true } });
  await end.until(({ typing }) => typing.length === 1);
  expect(end.conversation.isOver).toBe(false);
  call.send(marksOf(1n, 0n));
  expect(await end.ended).toMatchObject({ how: { by: "me", ending: Ending.FINISHED }, undelivered: [] });
});

test("the last lines of the peer are acknowledged before the goodbye", async () => {
  const { call, end } = await admitted(mallory, yoda);
  end.answersFinished = true;
  call.send(lineOf(1n, "the last word"), finished);
  expect(await end.ended).toMatchObject({ how: { by: "me", ending: Ending.FINISHED } });
  await expect.poll(() => call.kinds).toEqual(["opening", "finished", "marks", "goodbye"]);
});

test("a goodbye of a peer that reads nothing ends the conversation within seconds", async () => {
  const { introductionId, arrived } = yoda.expect(mallory);
  const { own } = mallory;
  const socket = await dialPeerAt([yoda.address], { own, peer: yoda.fingerprint, timeoutMs: 5_000 });
  // The window has room for an opening and little more.
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

test("a peer that does not read the answer to its opening is disconnected", { timeout: 60_000 }, async () => {
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
