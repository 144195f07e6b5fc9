// The peer server admits an introduced device once and in time, and no other connection.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { status } from "@grpc/grpc-js";
import { expect, test, vi } from "vitest";
import { openConverse } from "../../../client/peer/conversation/converse.ts";
import { newDeviceKey } from "../../../client/peer/keys/keys.ts";
import { channelOver, dialPeerAt } from "../../../rpc/peers/peer-dial.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Device } from "./device.ts";

const opening = (introductionId: string) => ({ introductionId, clientName: "", clientVersion: "" });

test("a device without an introduction is disconnected before it can make a call", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  await using vader = await Device.make();
  const { introductionId } = yoda.expect(luke);
  await expect(vader.call(yoda, introductionId)).rejects.toThrow();
  // The introduction is still valid for its device.
  const end = await luke.call(yoda, introductionId);
  end.conversation.send("still here");
});

test("a device that was introduced for the relay only cannot connect directly", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId } = yoda.expect(luke, { direct: false });
  await expect(luke.call(yoda, introductionId)).rejects.toThrow();
});

test("a valid introduction with another key is refused", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId } = yoda.expect(luke);
  const dialling = luke.dial(yoda, { own: await newDeviceKey() });
  await expect(dialling.then((dialled) => openConverse(dialled, opening(introductionId)))).rejects.toThrow();
});

test("a connection is closed if no folder for its socket can be made", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  yoda.expect(luke);
  const { own } = luke;
  const socket = await dialPeerAt([yoda.address], { own, peer: yoda.fingerprint, timeoutMs: 5_000 });
  vi.stubEnv("TMPDIR", "/nowhere/at/all");
  try {
    await expect(channelOver(socket)).rejects.toThrow("ENOENT");
  } finally {
    vi.unstubAllEnvs();
  }
  expect(socket.destroyed).toBe(true);
});

test("a long path of the temporary folder works", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const folder = await mkdtemp(join(tmpdir(), "parley-test-"));
  const long = join(folder, "x".repeat(105));
  await mkdir(long);
  vi.stubEnv("TMPDIR", long);
  try {
    const { introductionId, arrived } = yoda.expect(luke);
    const there = await luke.call(yoda, introductionId);
    there.conversation.send("from far away");
    const { end } = await arrived;
    await end.until(({ lines }) => lines.length === 1);
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  }
});

test("a device with another key than the introduced one is not called", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  await using vader = await Device.make();
  vader.expect(luke);
  const error = await luke.dial(vader, { peer: yoda.fingerprint }).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({
    kind: "fingerprint-mismatch",
    expected: yoda.fingerprint,
    found: vader.fingerprint,
  });
});

test("an introduction is used up by the first conversation", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId, arrived } = yoda.expect(luke);
  // A second introduction lets this key connect again.
  yoda.expect(luke);
  await luke.call(yoda, introductionId);
  await arrived;
  const error = await luke.call(yoda, introductionId).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ reason: "INTRODUCTION_INVALID", code: status.FAILED_PRECONDITION });
});

test("an expired introduction is refused", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId } = yoda.expect(luke, { lifetimeMs: 0 });
  await expect(luke.call(yoda, introductionId)).rejects.toThrow();
});

test("a device that answers for another introduction is refused by the caller", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const { introductionId } = yoda.expect(luke, { answeredId: "another" });
  await expect(luke.call(yoda, introductionId)).rejects.toMatchObject({ reason: "INTRODUCTION_INVALID" });
});

test("the session ticket of an earlier connection is not accepted: each connection proves the key again", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  yoda.expect(luke);
  const { key, cert } = luke.own;
  const options = { host: "127.0.0.1", key, cert, rejectUnauthorized: false, ALPNProtocols: ["h2"] };
  const first = connectTls({ ...options, port: yoda.server.port ?? 0 });
  first.resume();
  const session = await new Promise<Buffer>((resolve) => first.once("session", resolve));
  const second = connectTls({ ...options, port: yoda.server.port ?? 0, session });
  await new Promise((resolve) => second.once("secureConnect", resolve));
  expect(second.isSessionReused()).toBe(false);
  first.destroy();
  second.destroy();
});

test("connections with TLS below 1.3, without a certificate, or without TLS are closed", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  yoda.expect(luke);
  const { port } = yoda.server;
  const old = connectTls({ port, host: "127.0.0.1", maxVersion: "TLSv1.2", rejectUnauthorized: false });
  await expect(closed(old)).resolves.toMatch(/protocol version/i);
  const bare = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await closed(bare);
  const plain = connect({ port: port ?? 0, host: "127.0.0.1" });
  plain.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  await closed(plain);
});

/** The message of the error that closed the socket; "" if there was none. */
async function closed(socket: ReturnType<typeof connect>): Promise<string> {
  let message = "";
  socket.on("error", (error) => {
    message = error.message;
  });
  socket.resume();
  await new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  return message;
}
