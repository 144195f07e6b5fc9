// How streams end that their handlers did not end: a deadline, a caller who cancels, a peer that never reads.
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Event } from "../../gen/parley/chat/v1/event.ts";
import { lengthDelimited } from "../../rpc/calls/decode.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { call } from "../../rpc/dialling/dial.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { bareSession, dialPlain, endingError, endingOf, framed, serve } from "./fixture.ts";

const event = lengthDelimited(1, Event.encode({ kind: undefined }).finish());
const unary = { timeoutMs: 5_000 };

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled).toEqual([]));

describe("a stream that is ended from elsewhere", () => {
  /** Pushes until the outbox closes. */
  const pushing = async (_: unknown, out: Outbox): Promise<void> => {
    while (!out.closed) {
      out.push(event);
      await nextTurn();
    }
  };

  test("by its deadline, ends for its handler too", async () => {
    await using server = await serve({ connect: pushing, follow: pushing });
    using client = await dialPlain(server.address);
    for (let round = 0; round < 5; round++) {
      const options = { deadline: Date.now() + 30 };
      const follow = client.chat.follow({ hello: undefined }, options);
      const connect = client.chat.connect(options);
      const endings = await Promise.all([endingError(follow), endingError(connect)]);
      expect(endings.map(({ code }) => code)).toEqual([status.DEADLINE_EXCEEDED, status.DEADLINE_EXCEEDED]);
    }
    using session = await bareSession(`http://${server.address}`);
    // Here only the server counts the time.
    const stream = session.call("Connect", { "grpc-timeout": "30m" });
    expect((await endingOf(stream))["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    expect(server.errors).toEqual([]);
  });

  test.each([
    ["no gzip", Buffer.from("garbage"), status.INTERNAL],
    ["too much gzip", gzipSync(Buffer.alloc(10_000_000)), status.RESOURCE_EXHAUSTED],
  ])("by %s in the middle, ends for its handler too", async (_, content, code) => {
    await using server = await serve({ connect: pushing });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect", { "grpc-encoding": "gzip" });
    const ending = endingOf(stream);
    await once(stream, "response");
    const frame = framed(content);
    frame[0] = 1;
    stream.write(frame);
    // The handler reads nothing; whoever reads is told.
    stream.end();
    await once(stream, "close").catch(() => {});
    await expect(ending.then((headers) => headers["grpc-status"])).resolves.toBe(String(code));
    expect(server.errors).toEqual([]);
  });

  test("by cancelling, leaves nothing behind", async () => {
    const outboxes: WeakRef<Outbox>[] = [];
    let ended = 0;
    await using server = await serve({
      connect: async (frames, out, { signal }) => {
        outboxes.push(new WeakRef(out));
        out.push(Buffer.alloc(100_000));
        await frames.next();
        if (!signal.aborted) await once(signal, "abort");
        ended += 1;
      },
    });
    using session = await bareSession(`http://${server.address}`);
    for (let index = 0; index < 50; index++) {
      const stream = session.call("Connect");
      await once(stream, "response");
      stream.close();
    }
    await vi.waitFor(() => expect(ended).toBe(50));
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    await vi.waitFor(() => {
      collect();
      expect(outboxes.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(5);
    });
    expect(server.listener.connections).toBe(1);
  });
});

describe("a peer that never reads", () => {
  test("costs no more than the outbox holds, and its connection in the end", async () => {
    const overflow = Promise.withResolvers<number>();
    await using server = await serve(
      {
        follow: async (_request, out) => {
          let pushed = 0;
          while (!out.closed) {
            out.push(Buffer.alloc(1_000));
            pushed += 1;
            if (pushed % 64 === 0) await nextTurn();
          }
          overflow.resolve(pushed);
          throw new RpcError({
            code: status.RESOURCE_EXHAUSTED,
            reason: "SLOW",
            message: "slow",
            retryDelayMs: 1,
          });
        },
      },
      { service: { lingerMs: 50 } },
    );
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Follow");
    stream.end(framed(Buffer.alloc(0)));
    // 1 MiB in the outbox, of which two frames may be on their way, and one window at this end.
    expect(await overflow.promise).toBeLessThan(1_300);
    await session.closed;
    await vi.waitFor(() => expect(server.listener.connections).toBe(0));
  });

  test("that reads at last learns why it was ended", async () => {
    const overflow = Promise.withResolvers<void>();
    await using server = await serve({
      follow: (_request, out) => {
        out.onOverflow(() => overflow.resolve());
        for (let index = 0; index < 3_000; index++) out.push(Buffer.alloc(1_000));
        throw new RpcError({ code: status.RESOURCE_EXHAUSTED, reason: "SLOW", message: "slow" });
      },
    });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Follow");
    stream.end(framed(Buffer.alloc(0)));
    await overflow.promise;
    expect((await endingOf(stream))["grpc-status"]).toBe(String(status.RESOURCE_EXHAUSTED));
  });

  test("is no cause to cut a connection whose answers are read", async () => {
    await using server = await serve({ setTyping: () => Promise.resolve({}) }, { service: { lingerMs: 20 } });
    using client = await dialPlain(server.address);
    const start = performance.now();
    while (performance.now() - start < 100) {
      await call(client.chat, "setTyping", { target: undefined, typing: true }, unary);
    }
    expect(server.listener.connections).toBe(1);
  });
});
