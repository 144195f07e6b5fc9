// Connections that send mostly frames which carry nothing are cut; those that send or read much are not.
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import { ConnectRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { call } from "../../rpc/dialling/dial.ts";
import { OverheadMeter } from "../../rpc/listening/overhead.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeCertificate } from "./certificates.ts";
import {
  bareSession,
  dialPlain,
  endingOf,
  framed,
  processed,
  reasonOf,
  serve,
  type TestService,
} from "./fixture.ts";
import { frame, greeted, openStream, repeatedHeaders } from "./raw-http2.ts";
import { failOnUnhandledRejections } from "./unhandled-rejections.ts";

failOnUnhandledRejections();

const KiB = 1024;
/** After 30 s the keepalive of the server also cuts a connection that answers no ping. */
const BEFORE_KEEPALIVE_MS = 15_000;
const typing = { target: undefined, typing: true };
const answering = { setTyping: () => Promise.resolve({}) };

const WINDOW_UPDATE = frame(8, 0, 0, Buffer.from([0, 0, 0, 1]));
const PRIORITY = frame(2, 0, 1, Buffer.from([0, 0, 0, 0, 15]));

const PING_ACK = frame(6, 1, 0, Buffer.alloc(8));

/** The frames of a whole call with 60 KiB of headers, which HPACK compresses to 15 bytes after the first time. */
function callWithRepeatedHeaders(id: number, isFirst: boolean): Buffer {
  return Buffer.concat([
    openStream(id, "SetTyping", undefined, repeatedHeaders(isFirst)),
    frame(0, 1, id, Buffer.alloc(5)),
  ]);
}

/** Sends the frame until about this many bytes were sent and taken by the server. */
async function send(socket: Socket, one: Buffer, bytes: number): Promise<void> {
  const count = Math.ceil(bytes / one.length);
  await new Promise<void>((resolve) =>
    socket.write(Buffer.concat(Array.from({ length: count }, () => one)), () => resolve()),
  );
  // The server has read what was sent before it answers the ping.
  const ping = frame(6, 0, 0, Buffer.alloc(8));
  const answered = new Promise<void>((resolve) => {
    let seen = Buffer.alloc(0);
    const read = (data: Buffer): void => {
      seen = Buffer.concat([seen, data]);
      if (!seen.includes(PING_ACK)) return;
      socket.off("data", read);
      resolve();
    };
    socket.on("data", read);
  });
  socket.write(ping);
  await answered;
}

async function open(server: TestService, scheme: string): Promise<Socket> {
  const { port } = server.listener;
  if (scheme === "http") return greeted(connectTcp(port, "127.0.0.1"));
  const tls = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await once(tls, "secureConnect");
  return greeted(tls);
}

describe.each(["http", "https"])("a connection (%s)", (scheme) => {
  const options = (clock: ManualClock) => ({
    clock,
    ...(scheme === "https" ? { tls: makeCertificate() } : {}),
  });

  test("that sends 100 KiB of WINDOW_UPDATE a second is cut after three seconds, and another one is not", async () => {
    const clock = new ManualClock();
    await using server = await serve(answering, options(clock));
    using other = await bareSession(`${scheme}://${server.address}`);
    const socket = await open(server, scheme);
    for (let second = 0; second < 3; second++) {
      await send(socket, WINDOW_UPDATE, 100 * KiB);
      expect(server.listener.connections).toBe(2);
      clock.advance(1_000);
    }
    await eventually(() => expect(server.listener.connections).toBe(1), BEFORE_KEEPALIVE_MS);
    expect(other.session.destroyed).toBe(false);
  });

  test("that sends many PRIORITY frames is cut by the HTTP/2 library", async () => {
    await using server = await serve(answering, options(new ManualClock()));
    const socket = await open(server, scheme);
    const closed = once(socket, "close");
    socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => PRIORITY)));
    await closed;
  });

  test("that sends 2 MiB of it is cut after the first second", async () => {
    const clock = new ManualClock();
    await using server = await serve(answering, options(clock));
    const socket = await open(server, scheme);
    await send(socket, WINDOW_UPDATE, 2_048 * KiB);
    clock.advance(1_000);
    await eventually(() => expect(server.listener.connections).toBe(0), BEFORE_KEEPALIVE_MS);
  });

  test("is also cut if calls with much repeated, compressed headers come between them", async () => {
    const clock = new ManualClock();
    await using server = await serve(answering, options(clock));
    const socket = await open(server, scheme);
    for (const second of [0, 1, 2]) {
      const first = 1 + 20 * second;
      const calls = Array.from({ length: 10 }, (_, index) =>
        callWithRepeatedHeaders(first + 2 * index, second + index === 0),
      );
      socket.write(Buffer.concat(calls));
      await send(socket, WINDOW_UPDATE, 200 * KiB);
      expect(server.listener.connections).toBe(1);
      clock.advance(1_000);
    }
    await eventually(() => expect(server.listener.connections).toBe(0), BEFORE_KEEPALIVE_MS);
  });

  test("that sends 60 KiB of it a second stays open", async () => {
    const clock = new ManualClock();
    await using server = await serve(answering, options(clock));
    const socket = await open(server, scheme);
    for (let second = 0; second < 5; second++) {
      await send(socket, WINDOW_UPDATE, 55 * KiB);
      clock.advance(1_000);
    }
    await send(socket, WINDOW_UPDATE, 1);
    expect(server.listener.connections).toBe(1);
    socket.destroy();
  });

  test("that sends many messages on a stream stays open", async () => {
    const clock = new ManualClock();
    let received = 0;
    const connect = async (frames: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of frames) received += 1;
    };
    await using server = await serve({ connect }, options(clock));
    using session = await bareSession(`${scheme}://${server.address}`);
    const stream = session.call("Connect");
    const commands = Array.from({ length: 100 }, () => ({ kind: undefined }));
    const message = framed(ConnectRequest.encode({ commands }).finish());
    for (let second = 1; second <= 5; second++) {
      for (let index = 0; index < 1_000; index++) stream.write(message);
      await eventually(() => expect(received).toBe(1_000 * second));
      clock.advance(1_000);
    }
    expect(session.session.destroyed).toBe(false);
  });
});

test("many small calls do not count as overhead", async () => {
  const clock = new ManualClock();
  await using server = await serve(answering, { clock, limits: { refusalsAtOnce: 1_000_000 } });
  using client = await dialPlain(server.address);
  for (let second = 0; second < 4; second++) {
    for (let round = 0; round < 10; round++) {
      const calls = Array.from({ length: 60 }, () =>
        call(client.chat, "setTyping", typing, { timeoutMs: 5_000, token: "x" }),
      );
      await Promise.all(calls);
    }
    clock.advance(1_000);
  }
  expect(server.listener.connections).toBe(1);
});

test("requests that are refused because they are too long do not count as overhead", async () => {
  const clock = new ManualClock();
  await using server = await serve(answering, { clock });
  using session = await bareSession(`http://${server.address}`);
  for (let count = 0; count < 3; count++) {
    const stream = session.call("SetTyping", { authorization: "Bearer x" });
    const sent = new Promise<void>((resolve) => stream.end(framed(Buffer.alloc(1024 * KiB)), resolve));
    expect(reasonOf(await endingOf(stream))).toBe("REQUEST_TOO_LARGE");
    await sent;
  }
  await processed(session);
  clock.advance(1_000);
  await processed(session);
  expect(server.listener.connections).toBe(1);
});

test("a client that reads much may send many WINDOW_UPDATEs", () => {
  const meter = new OverheadMeter();
  for (let second = 1; second <= 5; second++) {
    const read = second * 200 * KiB;
    expect(meter.sample({ read, written: 4 * read, delivered: 0 })).toBe(false);
  }
  // A PING is answered with as many bytes.
  const pings = new OverheadMeter();
  const cut = [1, 2, 3].map((second) => {
    const read = second * 200 * KiB;
    return pings.sample({ read, written: read, delivered: 0 });
  });
  expect(cut).toEqual([false, false, true]);
});
