// What callers send before a handler runs: the token comes first, and what is not whole is bounded.
import { once } from "node:events";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { ConnectRequest, SetMarkersRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import type { CallContext, ServiceOptions } from "../../rpc/calls/handler.ts";
import { readBearer } from "../../rpc/calls/metadata.ts";
import { Budget, UnfinishedRequests, unfinishedLimits } from "../../rpc/calls/unfinished-requests.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  type BareSession,
  bareSession,
  definition,
  endingOf,
  framed,
  processed,
  reasonOf,
  serve,
} from "./fixture.ts";
import { failOnUnhandledRejections } from "./unhandled-rejections.ts";

failOnUnhandledRejections();

const KiB = 1024;
const typing = framed(Buffer.alloc(0));

/** The prefix of a message. */
function prefix(length: number, flag = 0): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

const answering = { setTyping: () => Promise.resolve({}), setMarkers: () => Promise.resolve({}) };

describe("a call that is refused by its headers", () => {
  const unauthenticated = () =>
    Promise.reject(
      new RpcError({ code: status.UNAUTHENTICATED, reason: "TOKEN_MISSING", message: "no token" }),
    );

  test.each(["SetMarkers", "Follow", "Connect"])(
    "is answered while no byte of its request has arrived: %s",
    async (method) => {
      const refusing = { admit: unauthenticated };
      await using server = await serve({ setMarkers: refusing, follow: refusing, connect: refusing });
      using session = await bareSession(`http://${server.address}`);
      const ending = await endingOf(session.call(method));
      expect(reasonOf(ending)).toBe("TOKEN_MISSING");
    },
  );

  test("has no byte of its request decoded, and its stream is reset", async () => {
    let decoded = 0;
    const counting = (bytes: Buffer): SetMarkersRequest => {
      decoded += 1;
      return SetMarkersRequest.decode(bytes);
    };
    await using server = await serve(
      { setMarkers: { admit: unauthenticated } },
      {
        limits: { resetMs: 20 },
        definition: { ...definition, setMarkers: { ...definition.setMarkers, requestDeserialize: counting } },
      },
    );
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("SetMarkers");
    stream.write(framed(Buffer.alloc(0)));
    expect(reasonOf(await endingOf(stream))).toBe("TOKEN_MISSING");
    if (!stream.closed) await once(stream, "close");
    expect(stream.rstCode).toBe(0);
    expect(decoded).toBe(0);
  });

  test("has two authorization values, which HTTP/2 sends as two headers", async () => {
    const seen: unknown[] = [];
    const setTyping = (_request: unknown, { metadata }: CallContext) => {
      seen.push(readBearer(metadata));
      return Promise.resolve({});
    };
    await using server = await serve({ setTyping });
    // Node's types do not know this option yet.
    const options = { strictSingleValueFields: false } as object;
    using session = await bareSession(`http://${server.address}`, options);
    const headers = [":method", "POST", ":scheme", "http", ":path", "/parley.chat.v1.ChatService/SetTyping"];
    headers.push("content-type", "application/grpc", "te", "trailers", "authorization", "Bearer one");
    for (const more of [[], ["authorization", "Bearer two"]]) {
      const stream = session.session.request([...headers, ...more] as never);
      stream.end(typing);
      await endingOf(stream);
    }
    expect(seen).toEqual(["one", "many"]);
  });
});

describe("a message is refused from its prefix on", () => {
  const bounds = { bytes: 100, fields: 10 };

  test.each([
    ["too long", prefix(101), "REQUEST_TOO_LARGE", status.INVALID_ARGUMENT],
    ["compressed", prefix(10, 1), "COMPRESSION_UNSUPPORTED", status.UNIMPLEMENTED],
    ["with an invalid flag", prefix(10, 2), "UNDECODABLE", status.INVALID_ARGUMENT],
    ["the second one", Buffer.concat([typing, prefix(10)]), "UNDECODABLE", status.INVALID_ARGUMENT],
  ])("if it is %s", async (_, bytes, reason, code) => {
    await using server = await serve(answering, { service: { bounds } });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("SetTyping", { "grpc-encoding": "gzip" });
    stream.write(bytes);
    const ending = await endingOf(stream);
    expect([reasonOf(ending), ending["grpc-status"]]).toEqual([reason, String(code)]);
    const isCompressed = reason === "COMPRESSION_UNSUPPORTED";
    expect(ending["grpc-accept-encoding"]).toBe(isCompressed ? "identity" : undefined);
  });

  test("and on a stream too, after the messages before it", async () => {
    const seen: unknown[] = [];
    await using server = await serve({
      connect: async (frames) => {
        for await (const frame of frames) seen.push(frame.commands.length);
      },
    });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect", { "grpc-encoding": "snappy" });
    const two = ConnectRequest.encode({ commands: [{ kind: undefined }, { kind: undefined }] }).finish();
    const compressed = gzipSync(two);
    stream.write(Buffer.concat([framed(two), prefix(compressed.length, 1), compressed]));
    const ending = await endingOf(stream);
    expect(reasonOf(ending)).toBe("COMPRESSION_UNSUPPORTED");
    expect(ending["grpc-accept-encoding"]).toBe("identity");
    expect(seen).toEqual([2]);
  });

  test("and answers announce that the server takes no compression", async () => {
    await using server = await serve(answering);
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("SetTyping");
    stream.end(typing);
    const [headers] = (await once(stream, "response")) as [Record<string, string>];
    expect(headers["grpc-accept-encoding"]).toBe("identity");
  });

  test("by the bounds of its method", async () => {
    const methodBounds = { setMarkers: { bytes: 1_000, fields: 10 } };
    const service = { bounds, methodBounds } as Partial<ServiceOptions>;
    await using server = await serve(answering, { service });
    using session = await bareSession(`http://${server.address}`);
    const refused = async (method: string, message: Uint8Array): Promise<string | undefined> => {
      const stream = session.call(method);
      stream.end(framed(message));
      return reasonOf(await endingOf(stream));
    };
    // Field 15 is unknown.
    const bytes = (count: number): Buffer =>
      Buffer.concat([Buffer.from([0x7a, (count & 0x7f) | 0x80, count >> 7]), Buffer.alloc(count)]);
    expect(await refused("SetTyping", bytes(200))).toBe("REQUEST_TOO_LARGE");
    expect(await refused("SetMarkers", bytes(200))).toBeUndefined();
    const markers = (count: number): Uint8Array =>
      Buffer.concat(Array.from({ length: count }, () => Buffer.from([0x0a, 0])));
    expect(await refused("SetMarkers", markers(10))).toBeUndefined();
    expect(await refused("SetMarkers", markers(21))).toBe("REQUEST_TOO_LARGE");
  });
});

test.each(["SetTyping", "Connect"])(
  "a call that ends inside of a message is an error: %s",
  async (method) => {
    const connect = async (frames: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of frames);
    };
    await using server = await serve({ ...answering, connect });
    using session = await bareSession(`http://${server.address}`);
    for (const bytes of [Buffer.from([0]), Buffer.concat([prefix(10), Buffer.alloc(9)])]) {
      const stream = session.call(method);
      stream.end(bytes);
      expect(reasonOf(await endingOf(stream))).toBe("UNDECODABLE");
    }
  },
);

test("a message that arrives byte by byte is whole", async () => {
  const sizes: number[] = [];
  await using server = await serve({
    connect: async (frames) => {
      for await (const { commands } of frames) sizes.push(commands.length);
    },
  });
  using session = await bareSession(`http://${server.address}`);
  const stream = session.call("Connect");
  const commands = Array.from({ length: 200 }, () => ({ kind: undefined }));
  const frame = framed(ConnectRequest.encode({ commands }).finish());
  for (const byte of Buffer.concat([frame, frame])) {
    await new Promise((resolve) => stream.write(Buffer.from([byte]), resolve));
  }
  stream.end();
  expect((await endingOf(stream))["grpc-status"]).toBe("0");
  expect(sizes).toEqual([200, 200]);
});

describe("an unfinished request", () => {
  test("has a deadline", async () => {
    const clock = new ManualClock();
    await using server = await serve(answering, { clock, limits: { requestMs: 1_000 } });
    using session = await bareSession(`http://${server.address}`);
    const nothing = session.call("SetTyping");
    const part = session.call("SetTyping");
    part.write(prefix(50));
    const notEnded = session.call("SetTyping");
    notEnded.write(typing);
    const endings = [nothing, part, notEnded].map(endingOf);
    await processed(session);
    clock.advance(999);
    const late = session.call("SetTyping");
    await processed(session);
    clock.advance(1);
    const codes = (await Promise.all(endings)).map((ending) => [ending["grpc-status"], reasonOf(ending)]);
    expect(codes).toEqual(Array(3).fill([String(status.DEADLINE_EXCEEDED), "REQUEST_UNFINISHED"]));
    late.end(typing);
    expect((await endingOf(late))["grpc-status"]).toBe("0");
  });

  test("has no deadline on a stream whose first message has arrived", async () => {
    const clock = new ManualClock();
    const first = Promise.withResolvers<void>();
    const connect = async (frames: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of frames) first.resolve();
    };
    await using server = await serve({ connect }, { clock, limits: { requestMs: 1_000 } });
    using session = await bareSession(`http://${server.address}`);
    const stream = session.call("Connect");
    stream.write(typing);
    await first.promise;
    clock.advance(60_000);
    stream.end(typing);
    expect((await endingOf(stream))["grpc-status"]).toBe("0");
  });

  test("is refused if the connection has too many bytes of them, and it is the oldest", async () => {
    await using server = await serve(answering, { limits: { connectionBytes: 56 * KiB } });
    using session = await bareSession(`http://${server.address}`);
    using other = await bareSession(`http://${server.address}`);
    const begin = (on: BareSession) => {
      const stream = on.call("SetMarkers");
      stream.write(Buffer.concat([prefix(20 * KiB), Buffer.alloc(10 * KiB)]));
      return { stream, ending: endingOf(stream) };
    };
    const elsewhere = begin(other);
    const [first, second] = [begin(session), begin(session)];
    const ending = await first.ending;
    expect([ending["grpc-status"], reasonOf(ending)]).toEqual([
      String(status.RESOURCE_EXHAUSTED),
      "OVERLOADED",
    ]);
    for (const { stream, ending } of [second, elsewhere]) {
      stream.end(Buffer.alloc(10 * KiB));
      expect((await ending)["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
    }
    // What was kept is given back.
    for (let round = 0; round < 20; round++) {
      const stream = session.call("SetTyping");
      stream.end(typing);
      expect((await endingOf(stream))["grpc-status"]).toBe("0");
    }
  });

  test("is refused if there are too many in all", async () => {
    await using server = await serve(answering, { limits: { totalBytes: 56 * KiB } });
    const sessions = await Promise.all([1, 2, 3].map(() => bareSession(`http://${server.address}`)));
    const calls: ClientHttp2Stream[] = [];
    const endings: Promise<IncomingHttpHeaders>[] = [];
    for (const session of sessions) {
      const stream = session.call("SetTyping");
      calls.push(stream);
      endings.push(endingOf(stream));
      await processed(session);
    }
    expect(reasonOf(await (endings[0] ?? Promise.reject(new Error("no call"))))).toBe("OVERLOADED");
    for (const stream of calls.slice(1)) stream.end(typing);
    for (const ending of endings.slice(1)) expect((await ending)["grpc-status"]).toBe("0");
    for (const session of sessions) session[Symbol.dispose]();
  });
});

describe("an open call", () => {
  test("counts at least what it takes, 24 KiB", async () => {
    await using server = await serve(answering, { limits: { totalBytes: 70 * KiB } });
    using session = await bareSession(`http://${server.address}`);
    const endings = [1, 2, 3].map(() => endingOf(session.call("SetTyping")));
    expect(reasonOf((await endings[0]) ?? {})).toBe("OVERLOADED");
    session.session.destroy();
    await Promise.allSettled(endings);
  });

  test("leaves room for 128 requests of 32 KiB at the same time on one connection", () => {
    using unfinished = new UnfinishedRequests();
    const connection = new Budget(unfinishedLimits.connectionBytes);
    let refused = 0;
    for (let count = 0; count < 128; count++) {
      unfinished.begin([connection], () => refused++).keep(32 * KiB);
    }
    expect(refused).toBe(0);
  });
});

test("delayed refusals count as open calls, and the oldest is sent at once if there are too many", async () => {
  const clock = new ManualClock();
  const limits = { refusalsAtOnce: 0, connectionBytes: 10 * 24 * KiB };
  await using server = await serve(answering, { clock, limits });
  using session = await bareSession(`http://${server.address}`);
  const ended: number[] = [];
  const calls = Array.from({ length: 12 }, (_, index) => {
    const stream = session.call("Nothing");
    // What a caller sends after its call was refused is not kept.
    stream.write(Buffer.concat([prefix(1), Buffer.alloc(1)]));
    return endingOf(stream).then(() => ended.push(index));
  });
  await Promise.all(calls.slice(0, 2));
  await processed(session);
  expect(ended).toEqual([0, 1]);
  clock.advance(2_000);
  await Promise.all(calls);
});

test("refusals, and answers without a token, beyond a burst are sent slowly on one connection", async () => {
  const clock = new ManualClock();
  let refuses = true;
  const setTyping = () =>
    refuses
      ? Promise.reject(
          new RpcError({ code: status.UNAUTHENTICATED, reason: "TOKEN_MISSING", message: "no token" }),
        )
      : Promise.resolve({});
  const setMarkers = { admit: () => Promise.resolve(() => Promise.resolve({})) };
  await using server = await serve({ setTyping, setMarkers }, { clock });
  using session = await bareSession(`http://${server.address}`);
  const call = (): ClientHttp2Stream => {
    const stream = session.call("SetTyping");
    stream.end(typing);
    return stream;
  };
  for (let burst = 0; burst < 60; burst++) expect(reasonOf(await endingOf(call()))).toBe("TOKEN_MISSING");
  const ended: number[] = [];
  const slow = Array.from({ length: 3 }, (_, index) => endingOf(call()).then(() => ended.push(index)));
  await processed(session);
  refuses = false;
  const withToken = session.call("SetMarkers", { authorization: "Bearer x" });
  withToken.end(typing);
  await endingOf(withToken);
  // This method checks no token, so that any text passes.
  const unchecked = session.call("SetTyping", { authorization: "Bearer x" });
  unchecked.end(typing);
  for (const stream of [unchecked, call()]) void endingOf(stream).then(() => ended.push(-1));
  await processed(session);
  expect(ended).toEqual([]);
  clock.advance(20);
  await slow[0];
  expect(ended).toEqual([0]);
  clock.advance(2_000);
  await Promise.all(slow);
  using other = await bareSession(`http://${server.address}`);
  refuses = true;
  const elsewhere = other.call("SetTyping");
  elsewhere.end(typing);
  expect(reasonOf(await endingOf(elsewhere))).toBe("TOKEN_MISSING");
});
