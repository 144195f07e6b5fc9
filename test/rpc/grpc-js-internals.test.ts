// What rpc/ assumes about the inside of grpc-js. If one of these tests fails after an upgrade, its name and the comment in
// it say what to look at.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import {
  Metadata,
  type Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  interceptReads,
  SecureServerCredentials,
  sendCompressed,
  setFallbackHandler,
} from "../../rpc/grpc-js-internals.ts";
import { eventually } from "../support/eventually.ts";
import { makeCertificate } from "./certificates.ts";
import { type BareSession, bareSession, endingOf, framed } from "./fixture.ts";

const asIs = (bytes: Buffer): Buffer => bytes;
const codec = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
const path = (name: string): string => `/parley.chat.v1.ChatService/${name}`;

interface Running extends AsyncDisposable {
  readonly server: Server;
  readonly session: BareSession;
}

/** A plain server of grpc-js with one method, and an HTTP/2 connection to it. */
async function run(
  method: "unary" | "bidi",
  handler: UntypedServiceImplementation[string],
): Promise<Running> {
  const server = new grpc.Server();
  const isStream = method === "bidi";
  const definition = {
    method: { ...codec, path: path("Method"), requestStream: isStream, responseStream: isStream },
  };
  server.addService(definition, { method: handler });
  const bind = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
    error === null ? bind.resolve(port) : bind.reject(error),
  );
  const session = await bareSession(`http://127.0.0.1:${await bind.promise}`);
  return {
    server,
    session,
    [Symbol.asyncDispose]: () => {
      session[Symbol.dispose]();
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function installed(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

test.each(["@grpc/grpc-js", "enquirer"])(
  "the version of %s is pinned exactly, and is the installed one",
  (name) => {
    // enquirer: command-line/ask.ts uses `stop`, `cancel` and the "close" listener of a prompt. See that file, its issue
    // 483, and test/server/commands/ask.slow.test.ts.
    const file = new URL("../../package.json", import.meta.url);
    const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies[name]).toBe(installed(name));
  },
);

test("a unary call has its stream and serializeMessage, and sends what that returns", async () => {
  // src/server-interceptors.ts: BaseServerInterceptingCall. src/server.ts: the property `http2Servers`.
  await using running = await run(
    "unary",
    (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      const { call: inner } = call as unknown as { call: { stream?: object } };
      expect(inner.stream).toBeInstanceOf(Object);
      sendCompressed(call, "gzip", Buffer.from("as given"));
      callback(null, Buffer.from("instead"));
    },
  );
  expect(Reflect.get(running.server, "http2Servers")).toBeInstanceOf(Map);
  const stream = running.session.call("Method");
  stream.end(framed(Buffer.alloc(0)));
  const [response] = (await once(stream, "response")) as [Record<string, string>];
  expect(response["grpc-encoding"]).toBe("gzip");
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  expect(Buffer.concat(parts)).toEqual(
    Buffer.concat([Buffer.from([1, 0, 0, 0, 8]), Buffer.from("as given")]),
  );
});

test("Server keeps its methods in the map `handlers`, and looks a path up with get", async () => {
  // src/server.ts: the property `handlers`, `register`, and `_retrieveHandler`.
  await using running = await run("unary", (_call: unknown, callback: sendUnaryData<Buffer>) =>
    callback(null, Buffer.alloc(0)),
  );
  const handlers: unknown = Reflect.get(running.server, "handlers");
  expect(handlers).toBeInstanceOf(Map);
  expect((handlers as Map<string, unknown>).get(path("Method"))).toEqual({
    func: expect.any(Function),
    serialize: asIs,
    deserialize: asIs,
    type: "unary",
    path: path("Method"),
  });
});

test("a handler that `handlers.get` returns answers the call, though it was not registered", async () => {
  // src/server.ts: `_channelzHandler`, `_streamHandler`, and `runHandlerForCall`, which takes the type from the handler.
  await using running = await run("unary", (_call: unknown, callback: sendUnaryData<Buffer>) =>
    callback(null, Buffer.alloc(0)),
  );
  setFallbackHandler(running.server, (asked) => ({
    func: (call: ServerDuplexStream<Buffer, Buffer>) =>
      void call.emit("error", { code: status.UNIMPLEMENTED, details: asked }),
    serialize: asIs,
    deserialize: asIs,
    type: "bidi",
    path: asked,
  }));
  const unknown = running.session.call("Unknown");
  unknown.end(framed(Buffer.alloc(0)));
  expect(await endingOf(unknown)).toMatchObject({
    "grpc-status": String(status.UNIMPLEMENTED),
    "grpc-message": path("Unknown"),
  });
  const known = running.session.call("Method");
  known.end(framed(Buffer.alloc(0)));
  expect((await endingOf(known))["grpc-status"]).toBe("0");
});

test("the stream of a call reads by `_read` only, and pushes one message for each", async () => {
  // src/server-call.ts: `ServerDuplexStreamImpl._read`; src/server-interceptors.ts: `startRead` and
  // `maybePushNextMessage` of BaseServerInterceptingCall.
  const reads: (() => void)[] = [];
  const messages: unknown[] = [];
  await using running = await run("bidi", (call: ServerDuplexStream<Buffer, Buffer>) => {
    interceptReads(call, (read) => reads.push(read));
    call.on("data", (message) => messages.push(message));
    call.on("end", () => call.end());
  });
  const stream = running.session.call("Method");
  stream.end(Buffer.concat(["a", "b", "c"].map((text) => framed(Buffer.from(text)))));
  for (const expected of [["a"], ["a", "b"], ["a", "b", "c"]]) {
    await eventually(() => expect(reads.length).toBeGreaterThan(0));
    await new Promise((resolve) => running.session.session.ping(resolve));
    expect(messages).toHaveLength(expected.length - 1);
    reads.shift()?.();
    await eventually(() => expect(messages.map(String)).toEqual(expected));
  }
  const ending = endingOf(stream);
  await eventually(() => expect(reads.length).toBeGreaterThan(0));
  reads.shift()?.();
  expect((await ending)["grpc-status"]).toBe("0");
});

test("the stream of a call alone reads up to 16 messages ahead", async () => {
  // If this is 1 one day, FrameReader need not intercept the reads.
  let decoded = 0;
  const handling = Promise.withResolvers<void>();
  await using running = await run("bidi", (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.once("data", () => {
      call.pause();
      handling.resolve();
    });
  });
  const handler = (Reflect.get(running.server, "handlers") as Map<string, object>).get(path("Method"));
  Object.assign(handler ?? {}, {
    deserialize: (bytes: Buffer) => {
      decoded += 1;
      return bytes;
    },
  });
  const stream = running.session.call("Method");
  stream.write(framed(Buffer.from("x")));
  await handling.promise;
  for (let index = 0; index < 40; index++) {
    await new Promise((resolve) => stream.write(framed(Buffer.from("x")), resolve));
    // The server has processed the message before it answers the ping.
    await new Promise((resolve) => running.session.session.ping(resolve));
  }
  expect(decoded).toBeGreaterThanOrEqual(16);
  expect(decoded).toBeLessThanOrEqual(20);
});

test("an answered call emits `cancelled` once its last bytes are handed over", async () => {
  // src/server-interceptors.ts: `notifyOnCancel` on the "close" of the HTTP/2 stream. ServerCallContext and
  // LingeringCalls depend on it.
  const cancelled = Promise.withResolvers<boolean>();
  await using running = await run(
    "unary",
    (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      let isAnswered = false;
      call.once("cancelled", () => cancelled.resolve(isAnswered));
      callback(null, Buffer.alloc(0));
      isAnswered = true;
    },
  );
  const stream = running.session.call("Method");
  stream.end(framed(Buffer.alloc(0)));
  expect((await endingOf(stream))["grpc-status"]).toBe("0");
  expect(await cancelled.promise).toBe(true);
});

test("an `error` event with code, details and metadata ends a stream with that status", async () => {
  // src/server-call.ts: the "error" listener of the stream classes, and `serverErrorToStatus`.
  await using running = await run("bidi", (call: ServerDuplexStream<Buffer, Buffer>) => {
    const metadata = new Metadata();
    metadata.set("x-detail", "kept");
    call.emit("error", { code: status.NOT_FOUND, details: "nothing", metadata });
  });
  const stream = running.session.call("Method");
  expect(await endingOf(stream)).toMatchObject({
    "grpc-status": String(status.NOT_FOUND),
    "grpc-message": "nothing",
    "x-detail": "kept",
  });
});

test("the options of server credentials reach http2.createSecureServer, and a context can be replaced", async () => {
  // src/server-credentials.ts: the constructor, `_getConstructorOptions`, `updateSecureContextOptions`; src/server.ts:
  // `createHttp2Server`. That each option is effective is tested in listen.test.ts ("TLS" and "limits").
  const [first, second] = [makeCertificate(), makeCertificate()];
  const credentials = new SecureServerCredentials({ maxHeaderListPairs: 64 }, { ...first });
  expect(credentials._isSecure()).toBe(true);
  expect(credentials._getConstructorOptions()).toEqual({ maxHeaderListPairs: 64 });
  const contexts: unknown[] = [];
  credentials._addWatcher((context) => contexts.push(context));
  credentials.replaceContext({ ...second });
  expect(contexts.at(-1)).toEqual({ ...second });
  expect(credentials._getSecureContextOptions()).toEqual({ ...second });
});
