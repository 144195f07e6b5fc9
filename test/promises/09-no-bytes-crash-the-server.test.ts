// Promise 9 for the server: no input from the network crashes it, disturbs other users, or makes it log an error.
// The part of the terminal is in test/client/terminal/safe-text.test.ts.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AuthServiceService } from "../../gen/parley/chat/v1/auth_service.ts";
import { ChatServiceService, ConnectRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { DirectoryServiceService } from "../../gen/parley/chat/v1/directory_service.ts";
import { HistoryServiceService } from "../../gen/parley/chat/v1/history_service.ts";
import { fromServiceError } from "../../rpc/status/status.ts";
import type { TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";

const unchanged = (bytes: Buffer): Buffer => bytes;
const unary = [
  AuthServiceService,
  ChatServiceService,
  DirectoryServiceService,
  HistoryServiceService,
].flatMap((service) =>
  Object.values(service).filter((method) => !method.requestStream && !method.responseStream),
);

/** Checks that a user who was logged in before can send, and that the server has logged no error. */
async function expectWorking(server: TestServer, leia: TestClient): Promise<void> {
  using stream = await leia.connect().caughtUp();
  stream.send("han", "still there?");
  await stream.next("ack");
  expect(server.logged.filter((line) => line.level >= 50)).toEqual([]);
}

test("any bytes as a request of any unary method are answered with a status", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  // The noise uses han's token, so that it cannot log leia out.
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...unary.filter((method) => !method.path.endsWith("LogOut"))),
      fc.uint8Array({ maxLength: 200 }),
      async (method, bytes) => {
        const code = await new Promise<number>((resolve) => {
          han.auth.makeUnaryRequest(
            method.path,
            () => Buffer.from(bytes),
            unchanged,
            {},
            han.metadata,
            (error) => resolve(error === null ? 0 : fromServiceError(error).code),
          );
        });
        // UNKNOWN or INTERNAL would mean that the server did not expect the request.
        expect([2, 13]).not.toContain(code);
      },
    ),
    { numRuns: 1000 },
  );
  await expectWorking(server, leia);
});

test("any bytes as frames of a stream end at most that stream", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const hello = ConnectRequest.encode({
    commands: [
      { kind: { $case: "hello", value: { client: undefined, features: [], cursors: [], processId: "" } } },
    ],
  }).finish();
  // Real commands with some changed bytes reach more code than random bytes do.
  const real = ConnectRequest.encode({
    commands: [
      {
        kind: {
          $case: "sendMessage",
          value: {
            clientMessageId: 77n,
            target: { target: { $case: "username", value: "leia" } },
            content: { kind: { $case: "text", value: "changed in transit" } },
          },
        },
      },
      {
        kind: {
          $case: "setMarkers",
          value: {
            markers: [
              {
                conversationId: "c1",
                deliveredSeq: 0n,
                readSeq: 0n,
                deliveredTime: undefined,
                readTime: undefined,
              },
            ],
          },
        },
      },
    ],
  }).finish();
  const changed = fc
    .array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const bytes = Uint8Array.from(real);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), { minLength: 1, maxLength: 5 }),
      async (sendsHello, frames) => {
        const call: ClientDuplexStream<Buffer, Buffer> = han.chat.makeBidiStreamRequest(
          ChatServiceService.connect.path,
          unchanged,
          unchanged,
          han.metadata,
        );
        const ended = new Promise<number>((resolve) => {
          call.on("error", (error) => resolve(fromServiceError(error).code));
          call.on("end", () => resolve(0));
        });
        call.on("data", () => {});
        if (sendsHello) call.write(Buffer.from(hello));
        for (const frame of frames) call.write(Buffer.from(frame));
        call.end();
        expect([2, 13]).not.toContain(await ended);
      },
    ),
    { numRuns: 300 },
  );
  await expectWorking(server, leia);
});

test("connections that do not speak HTTP/2, and requests that are not gRPC, are refused", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  for (const bytes of [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01",
    "\0".repeat(5000),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff",
  ]) {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.end(Buffer.from(bytes, "latin1"));
    socket.resume();
    await once(socket, "close");
  }
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  session.on("error", () => {});
  for (const headers of [
    { ":method": "GET", ":path": "/" },
    { ":method": "POST", ":path": "/nothing/here", "content-type": "application/grpc" },
    { ":method": "POST", ":path": "/parley.chat.v1.ChatService/Connect", "content-type": "text/plain" },
    {
      ":method": "POST",
      ":path": "/parley.chat.v1.ChatService/Connect",
      "content-type": "application/grpc",
      "grpc-timeout": "nonsense",
    },
  ]) {
    const request = session.request(headers, { endStream: false });
    request.on("error", () => {});
    request.resume();
    request.end(Buffer.from([1, 0, 0, 0, 200, 1, 2, 3]));
    await once(request, "close");
  }
  session.destroy();
  await expectWorking(server, leia);
});
