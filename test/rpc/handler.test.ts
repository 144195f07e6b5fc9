// Handlers on a real server: the statuses of their failures, and of invalid messages.
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { Status } from "../../gen/google/rpc/status.ts";
import { ConnectRequest, type ConnectResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import { Event } from "../../gen/parley/chat/v1/event.ts";
import { lengthDelimited, strictDefinition } from "../../rpc/calls/decode.ts";
import { call } from "../../rpc/dialling/dial.ts";
import { fromServiceError, RpcError } from "../../rpc/status/status.ts";
import { bareSession, definition, dialPlain, endingError, endingOf, framed, serve } from "./fixture.ts";
import { failOnUnhandledRejections } from "./unhandled-rejections.ts";

const event = lengthDelimited(1, Event.encode({ kind: undefined }).finish());
const strict = strictDefinition(definition);
const unary = { timeoutMs: 5_000 };
const sendRequest = { clientMessageId: 1n, target: undefined, content: undefined };

failOnUnhandledRejections();

const notFound = (): RpcError =>
  new RpcError({
    code: status.NOT_FOUND,
    reason: "USER_NOT_FOUND",
    message: "no user \ud800",
    field: "target",
  });

describe("a unary handler", () => {
  test("answers with a message or with encoded bytes", async () => {
    await using server = await serve({
      sendMessage: () => Promise.resolve(new Uint8Array()),
      setTyping: () => Promise.resolve({}),
    });
    using client = await dialPlain(server.address);
    expect(await call(client.chat, "sendMessage", sendRequest, unary)).toEqual({ ack: undefined });
    expect(await call(client.chat, "setTyping", { target: undefined, typing: true }, unary)).toEqual({});
  });

  test("ends the call with the reason of its RpcError", async () => {
    await using server = await serve({ broadcast: () => Promise.reject(notFound()) });
    using client = await dialPlain(server.address);
    const refused = call(client.chat, "broadcast", { clientMessageId: 1n, content: undefined }, unary);
    await expect(refused).rejects.toMatchObject({
      code: status.NOT_FOUND,
      reason: "USER_NOT_FOUND",
      field: "target",
      message: "no user \ufffd",
    });
    expect(server.errors).toEqual([]);
  });

  test("is reported if it fails otherwise, and the call ends with INTERNAL without details", async () => {
    const failure = new TypeError("secret");
    await using server = await serve({
      broadcast: () => Promise.reject(failure),
      setMarkers: () => {
        throw failure;
      },
      // A value against the type, which cannot be encoded.
      sendMessage: () => Promise.resolve({ ack: { seq: "x" } } as never),
    });
    using client = await dialPlain(server.address);
    const internal = {
      code: status.INTERNAL,
      reason: "INTERNAL",
      message: expect.not.stringContaining("secret"),
    };
    await expect(
      call(client.chat, "broadcast", { clientMessageId: 1n, content: undefined }, unary),
    ).rejects.toMatchObject(internal);
    await expect(call(client.chat, "setMarkers", { markers: [] }, unary)).rejects.toMatchObject(internal);
    await expect(call(client.chat, "sendMessage", sendRequest, unary)).rejects.toMatchObject(internal);
    expect(server.errors).toEqual([failure, failure, expect.any(Error)]);
  });

  test("is not called for a malformed message", async () => {
    await using server = await serve({});
    using session = await bareSession(`http://${server.address}`);
    for (const bytes of [Buffer.from([0x12, 0x03, 0x0a, 0x01, 0xff]), Buffer.from("garbage")]) {
      const stream = session.call("SendMessage");
      stream.end(framed(bytes));
      const ending = await endingOf(stream);
      expect(ending["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
      const details = Status.decode(Buffer.from(String(ending["grpc-status-details-bin"]), "base64"));
      expect(Buffer.from(details.details[0]?.value ?? []).toString()).toContain("UNDECODABLE");
    }
    expect(server.errors).toEqual([]);
  });

  test("receives an abort when the caller cancels", async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    await using server = await serve({
      sendMessage: async (_request, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve());
        started.resolve();
        await aborted.promise;
        // After the end of the call it must have no effect.
        throw new Error("after the end");
      },
    });
    using client = await dialPlain(server.address);
    const giveUp = new AbortController();
    const running = call(client.chat, "sendMessage", sendRequest, { ...unary, signal: giveUp.signal });
    await started.promise;
    giveUp.abort();
    await expect(running).rejects.toMatchObject({ code: status.CANCELLED });
    await aborted.promise;
  });

  test("receives no abort after its own answer", async () => {
    let signal: AbortSignal | undefined;
    await using server = await serve({
      setTyping: (_request, context) => {
        signal = context.signal;
        return Promise.resolve({});
      },
    });
    using client = await dialPlain(server.address);
    await call(client.chat, "setTyping", { target: undefined, typing: true }, unary);
    await call(client.chat, "setTyping", { target: undefined, typing: true }, unary);
    expect(signal?.aborted).toBe(false);
  });
});

test("a call of an unknown method ends with UNIMPLEMENTED and a reason", async () => {
  await using server = await serve({});
  using session = await bareSession(`http://${server.address}`);
  const stream = session.call("Nothing");
  stream.end(framed(Buffer.alloc(0)));
  expect((await endingOf(stream))["grpc-status"]).toBe(String(status.UNIMPLEMENTED));
  using client = await dialPlain(server.address);
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const path of ["/parley.chat.v1.ChatService/Nothing", "/unknown.Service/SendMessage"]) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    client.chat.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), resolve);
    expect(fromServiceError(await promise)).toMatchObject({
      code: status.UNIMPLEMENTED,
      reason: "UNSUPPORTED_METHOD",
      message: expect.stringContaining(path),
    });
  }
});

describe("a stream's handler", () => {
  test("sends what it pushed, and ends the stream by returning", async () => {
    await using server = await serve({
      follow: (_request, out) => {
        for (let index = 0; index < 5_000; index++) out.push(event);
        return Promise.resolve();
      },
    });
    using client = await dialPlain(server.address);
    let events = 0;
    let frames = 0;
    for await (const frame of client.chat.follow({ hello: undefined }) as AsyncIterable<ConnectResponse>) {
      events += frame.events.length;
      frames += 1;
    }
    expect(events).toBe(5_000);
    expect(frames).toBeLessThan(5);
  });

  test("ends the stream with the reason of its RpcError, after what it pushed", async () => {
    await using server = await serve({
      connect: async (_frames, out) => {
        out.push(event);
        await Promise.resolve();
        throw notFound();
      },
      follow: () => Promise.reject(new TypeError("secret")),
    });
    using client = await dialPlain(server.address);
    const stream = client.chat.connect();
    let events = 0;
    stream.on("data", (frame: ConnectResponse) => {
      events += frame.events.length;
    });
    expect(await endingError(stream)).toMatchObject({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND" });
    expect(events).toBe(1);
    const failing = client.chat.follow({ hello: undefined });
    expect(await endingError(failing)).toMatchObject({ code: status.INTERNAL, reason: "INTERNAL" });
    expect(server.errors).toEqual([expect.any(TypeError)]);
  });

  test("reads frame by frame until the peer half-closes", async () => {
    await using server = await serve({
      connect: async (frames, out) => {
        for await (const frame of frames) for (const _ of frame.commands) out.push(event);
        out.push(event);
      },
    });
    using client = await dialPlain(server.address);
    const stream = client.chat.connect();
    for (const commands of [[], [{ kind: undefined }], [{ kind: undefined }, { kind: undefined }]]) {
      stream.write({ commands });
    }
    stream.end();
    let events = 0;
    for await (const frame of stream as AsyncIterable<ConnectResponse>) events += frame.events.length;
    expect(events).toBe(4);
  });

  test.each([
    ["a fast handler", () => Promise.resolve()],
    ["a slow handler", () => setImmediate()],
  ])("receives every message, also if many arrive in one DATA frame: %s", async (_handler, rest) => {
    const commands = (count: number) => Array.from({ length: count }, () => ({ kind: undefined }));
    for (const count of [2, 3, 4, 5, 17, 100, 1_000]) {
      const seen: number[] = [];
      await using server = await serve({
        connect: async (frames) => {
          for await (const frame of frames) {
            seen.push(frame.commands.length);
            await rest();
          }
        },
      });
      using session = await bareSession(`http://${server.address}`);
      const stream = session.call("Connect");
      const sizes = Array.from({ length: count }, (_, index) => index % 7);
      const messages = sizes.map((size) => ConnectRequest.encode({ commands: commands(size) }).finish());
      stream.end(Buffer.concat(messages.map(framed)));
      expect((await endingOf(stream))["grpc-status"]).toBe("0");
      expect(seen).toEqual(sizes);
    }
  });

  test("receives a malformed message as an error, and can continue", async () => {
    const seen: unknown[] = [];
    await using server = await serve({
      connect: async (frames) => {
        for (;;) {
          try {
            const frame = await frames.next();
            if (frame === undefined) return;
            seen.push(frame.commands.length);
          } catch (error) {
            seen.push((error as RpcError).reason);
          }
        }
      },
    });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect");
    stream.write(framed(ConnectRequest.encode({ commands: [] }).finish()));
    stream.write(framed(Buffer.from([0xff])));
    stream.end(framed(ConnectRequest.encode({ commands: [{ kind: undefined }] }).finish()));
    expect((await endingOf(stream))["grpc-status"]).toBe("0");
    expect(seen).toEqual([0, "UNDECODABLE", 1]);
  });

  test("ends the stream with INVALID_ARGUMENT if it does not catch that error", async () => {
    await using server = await serve({ connect: async (frames) => void (await frames.next()) });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect");
    stream.write(framed(Buffer.from([0xff])));
    expect((await endingOf(stream))["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
    const follow = session.call("Follow");
    follow.end(framed(Buffer.from([0xff])));
    expect((await endingOf(follow))["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
  });

  test("has at most one message read ahead", async () => {
    const paused = Promise.withResolvers<void>();
    let decoded = 0;
    let taken = 0;
    const { requestDeserialize } = strict.connect;
    const counting = (bytes: Buffer): ConnectRequest => {
      decoded += 1;
      return requestDeserialize(bytes);
    };
    await using server = await serve(
      {
        connect: async (frames) => {
          await frames.next();
          await paused.promise;
          taken = 1;
          while ((await frames.next()) !== undefined) taken += 1;
        },
      },
      { definition: { ...strict, connect: { ...strict.connect, requestDeserialize: counting } } },
    );
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect");
    const frame = framed(ConnectRequest.encode({ commands: [{ kind: undefined }] }).finish());
    for (let index = 0; index < 30; index++) {
      await new Promise((resolve) => stream.write(frame, resolve));
      // The server has processed the message before it answers the ping.
      await new Promise((resolve) => session.session.ping(resolve));
    }
    expect(decoded).toBe(2);
    paused.resolve();
    stream.end();
    expect((await endingOf(stream))["grpc-status"]).toBe("0");
    expect(taken).toBe(30);
  });

  test("can abort its wait, and loses no message", async () => {
    const outcome = Promise.withResolvers<unknown[]>();
    const waiting = Promise.withResolvers<void>();
    await using server = await serve({
      connect: async (frames) => {
        const signal = AbortSignal.timeout(1);
        const first = await frames.next(signal).catch((error: unknown) => (error as Error).name);
        waiting.resolve();
        outcome.resolve([first, (await frames.next())?.commands.length]);
      },
    });
    using client = await dialPlain(server.address);
    const stream = client.chat.connect();
    stream.on("data", () => {});
    await waiting.promise;
    stream.write({ commands: [{ kind: undefined }] });
    stream.end();
    expect(await outcome.promise).toEqual(["TimeoutError", 1]);
  });

  test("is released from every wait when its peer disconnects", async () => {
    const ends: string[] = [];
    const done = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    let calls = 0;
    await using server = await serve({
      connect: async (frames, out, { signal }) => {
        const mine = calls++;
        out.push(event);
        if (mine === 0) ends.push(`next: ${await frames.next()}`);
        if (mine === 1) {
          while (!out.closed) {
            out.push(Buffer.alloc(32 * 1024));
            await out.whenBelowSoft();
          }
          ends.push("whenBelowSoft");
        }
        if (mine === 2) {
          if (!signal.aborted) await once(signal, "abort");
          ends.push("signal");
        }
        done[mine]?.resolve();
        throw new Error("after the end");
      },
    });
    for (let index = 0; index < 3; index++) {
      using session = await bareSession(`http://${server.address}`);
      const stream = session.call("Connect");
      await once(stream, "response");
      if (index === 0) stream.close();
      else session.session.destroy();
      await done[index]?.promise;
    }
    expect(ends).toEqual(["next: undefined", "whenBelowSoft", "signal"]);
  });
});
