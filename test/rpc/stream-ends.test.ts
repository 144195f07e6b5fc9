// Streams that end before their handlers return: by a deadline, invalid data, or a peer that never reads.
import { setImmediate as nextTurn } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { Event } from "../../gen/parley/chat/v1/event.ts";
import { lengthDelimited } from "../../rpc/calls/decode.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { call } from "../../rpc/dialling/dial.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { eventually } from "../support/eventually.ts";
import { bareSession, dialPlain, endingError, endingOf, framed, serve } from "./fixture.ts";
import { failOnUnhandledRejections } from "./unhandled-rejections.ts";

const event = lengthDelimited(1, Event.encode({ kind: undefined }).finish());
const unary = { timeoutMs: 5_000 };

failOnUnhandledRejections();

describe("a stream that ends before its handler returns", () => {
  /** Pushes until the outbox closes. */
  const pushing = async (_: unknown, out: Outbox): Promise<void> => {
    while (!out.closed) {
      out.push(event);
      await nextTurn();
    }
  };

  test("closes the outbox of the handler at its deadline", async () => {
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
    // Only the server enforces this deadline.
    const stream = session.call("Connect", { "grpc-timeout": "30m" });
    expect((await endingOf(stream))["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    expect(server.errors).toEqual([]);
  });
});

describe("a peer that never reads", () => {
  test("uses no more memory than the outbox allows, and then loses its connection", async () => {
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
    // 1 MiB in the outbox, two frames of which can be in flight, and one flow-control window of this client.
    expect(await overflow.promise).toBeLessThan(1_300);
    await session.closed;
    await eventually(() => expect(server.listener.connections).toBe(0));
  });

  test("receives the reason of the end when it reads", async () => {
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

  test("differs from a peer that reads its answers, whose connection is not cut", async () => {
    // Far longer than a loaded machine takes for one call.
    const lingerMs = 500;
    await using server = await serve({ setTyping: () => Promise.resolve({}) }, { service: { lingerMs } });
    using client = await dialPlain(server.address);
    const start = performance.now();
    while (performance.now() - start < 2.5 * lingerMs) {
      await call(client.chat, "setTyping", { target: undefined, typing: true }, { ...unary, token: "x" });
    }
    expect(server.listener.connections).toBe(1);
  });
});
