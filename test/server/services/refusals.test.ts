// Tests that invalid input gets a typed refusal and changes nothing, and that the server continues.
import { type ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Command } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { fromServiceError, type RpcError } from "../../../rpc/status/status.ts";
import { limits } from "../../../server/limits.ts";
import type { TestClient } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";

let server: TestServer;
let leia: TestClient;

beforeAll(async () => {
  server = await TestServer.start({ users: ["leia", "han", "luke"], signUp: "open" });
  leia = await server.logIn("leia");
});
afterAll(async () => {
  await expect(leia.send("han", "the server continues")).resolves.toBeDefined();
  await server[Symbol.asyncDispose]();
});

const toHan = { target: { $case: "username", value: "han" } } as const;
const text = (value: string) => ({ kind: { $case: "text", value } }) as const;
const asSend = (command: Command): Command => command;

const sends: [string, Command, { reason: Reason; field: string }][] = [
  [
    "an unknown user",
    asSend({
      kind: {
        $case: "sendMessage",
        value: {
          clientMessageId: 1n,
          target: { target: { $case: "username", value: "Han" } },
          content: text("x"),
        },
      },
    }),
    { reason: Reason.USER_NOT_FOUND, field: "target.username" },
  ],
  [
    "the caller's own name",
    {
      kind: {
        $case: "sendMessage",
        value: {
          clientMessageId: 1n,
          target: { target: { $case: "username", value: "leia" } },
          content: text("x"),
        },
      },
    },
    { reason: Reason.RECIPIENT_IS_SELF, field: "target.username" },
  ],
  [
    "no target",
    { kind: { $case: "sendMessage", value: { clientMessageId: 1n, target: undefined, content: text("x") } } },
    { reason: Reason.INVALID_FIELD, field: "target" },
  ],
  [
    "a conversation of other users",
    {
      kind: {
        $case: "sendMessage",
        value: {
          clientMessageId: 1n,
          target: { target: { $case: "conversationId", value: "c99" } },
          content: text("x"),
        },
      },
    },
    { reason: Reason.CONVERSATION_NOT_FOUND, field: "target.conversation_id" },
  ],
  [
    "no content",
    { kind: { $case: "sendMessage", value: { clientMessageId: 1n, target: toHan, content: undefined } } },
    { reason: Reason.CONTENT_EMPTY, field: "content" },
  ],
  [
    "an empty text",
    { kind: { $case: "broadcast", value: { clientMessageId: 1n, content: text("") } } },
    { reason: Reason.CONTENT_EMPTY, field: "content.text" },
  ],
  [
    "a text with NUL",
    { kind: { $case: "broadcast", value: { clientMessageId: 1n, content: text("a\0b") } } },
    { reason: Reason.INVALID_FIELD, field: "content.text" },
  ],
  [
    "an oversized text",
    {
      kind: {
        $case: "broadcast",
        value: { clientMessageId: 1n, content: text("x".repeat(limits.contentBytes)) },
      },
    },
    { reason: Reason.CONTENT_TOO_LARGE, field: "content" },
  ],
  [
    "a send without an id",
    { kind: { $case: "broadcast", value: { clientMessageId: 0n, content: text("x") } } },
    { reason: Reason.INVALID_FIELD, field: "client_message_id" },
  ],
  [
    "an id that is reserved for the server",
    { kind: { $case: "broadcast", value: { clientMessageId: 2n ** 63n, content: text("x") } } },
    { reason: Reason.INVALID_FIELD, field: "client_message_id" },
  ],
  ["an empty command", { kind: undefined }, { reason: Reason.UNSUPPORTED_COMMAND, field: "" }],
  [
    "a marker beyond the head",
    {
      kind: {
        $case: "setMarkers",
        value: {
          markers: [
            {
              conversationId: "c1",
              deliveredSeq: 2n ** 64n - 1n,
              readSeq: 0n,
              deliveredTime: undefined,
              readTime: undefined,
            },
          ],
        },
      },
    },
    { reason: Reason.MARKER_BEYOND_HEAD, field: "markers[0]" },
  ],
  [
    "a marker in a conversation that does not exist",
    {
      kind: {
        $case: "setMarkers",
        value: {
          markers: [
            {
              conversationId: "c99",
              deliveredSeq: 1n,
              readSeq: 1n,
              deliveredTime: undefined,
              readTime: undefined,
            },
          ],
        },
      },
    },
    { reason: Reason.CONVERSATION_NOT_FOUND, field: "markers[0].conversation_id" },
  ],
  [
    "typing in the broadcast conversation",
    {
      kind: {
        $case: "setTyping",
        value: { target: { target: { $case: "conversationId", value: "c1" } }, typing: true },
      },
    },
    { reason: Reason.INVALID_FIELD, field: "target" },
  ],
];

test.each(sends)("on a stream, %s is refused and the stream continues", async (_name, command, refused) => {
  using stream = await leia.connect().caughtUp();
  stream.write(command);
  expect(await stream.next("refused")).toMatchObject(refused);
  stream.send("han", "next");
  expect((await stream.next("ack")).seq).toBeGreaterThan(0n);
});

test("the unary twins refuse the same input with a status and details", async () => {
  const refused = async (call: Promise<unknown>): Promise<RpcError> =>
    call.then(
      () => Promise.reject(new Error("it was not refused")),
      (error: RpcError) => error,
    );
  expect(await refused(leia.send("nobody", "x"))).toMatchObject({ code: 5, reason: "USER_NOT_FOUND" });
  expect(await refused(leia.send("leia", "x"))).toMatchObject({ code: 3, reason: "RECIPIENT_IS_SELF" });
  expect(await refused(leia.send("han", ""))).toMatchObject({
    reason: "CONTENT_EMPTY",
    field: "content.text",
  });
  expect(await refused(leia.broadcast("x".repeat(limits.contentBytes)))).toMatchObject({
    reason: "CONTENT_TOO_LARGE",
  });
  const markers = {
    markers: [
      {
        conversationId: "c1",
        deliveredSeq: 10n ** 9n,
        readSeq: 0n,
        deliveredTime: undefined,
        readTime: undefined,
      },
    ],
  };
  expect(await refused(leia.unary(leia.chat, leia.chat.setMarkers, markers))).toMatchObject({
    code: 11,
    reason: "MARKER_BEYOND_HEAD",
  });
  expect(await refused(leia.unary(leia.chat, leia.chat.setMarkers, { markers: [] }))).toMatchObject({
    reason: "INVALID_FIELD",
    field: "markers",
  });
  const page = { onlineWithin: undefined, pageSize: 0, pageToken: "made up", background: false };
  expect(await refused(leia.unary(leia.directory, leia.directory.listUsers, page))).toMatchObject({
    reason: "PAGE_TOKEN_INVALID",
  });
  const within = { onlineWithin: { seconds: -1n, nanos: 0 }, pageSize: 0, pageToken: "", background: false };
  expect(await refused(leia.unary(leia.directory, leia.directory.listUsers, within))).toMatchObject({
    reason: "INVALID_FIELD",
    field: "online_within",
  });
});

test("a call without a token, with a wrong token, or with two tokens is refused", async () => {
  const stranger = server.anonymous();
  await expect(stranger.send("han", "x")).rejects.toMatchObject({ code: 16, reason: "TOKEN_MISSING" });
  const attempt = (metadata: Metadata): Promise<RpcError> =>
    new Promise((resolve) => {
      stranger.history.listConversations(
        { pageSize: 0, pageToken: "", background: false },
        metadata,
        (error) => resolve(fromServiceError(error)),
      );
    });
  const wrong = new Metadata();
  wrong.set("authorization", "Bearer made-up");
  expect(await attempt(wrong)).toMatchObject({ code: 16, reason: "TOKEN_INVALID" });
  const long = new Metadata();
  long.set("authorization", `Bearer ${"x".repeat(5000)}`);
  expect(await attempt(long)).toMatchObject({ reason: "TOKEN_INVALID" });
  const two = new Metadata();
  // An HTTP/2 server joins two headers in this way.
  two.set("authorization", `Bearer ${leia.grant?.token}, Bearer made-up`);
  expect(await attempt(two)).toMatchObject({ reason: "TOKEN_MISSING" });
  using stream = stranger.connect();
  expect(await stream.ended).toMatchObject({ reason: "TOKEN_MISSING" });
});

test("the first frame must contain exactly Hello, and Hello is sent once", async () => {
  using early = leia.connect(null);
  early.send("han", "too early");
  expect(await early.ended).toMatchObject({ code: 9, reason: "HELLO_EXPECTED" });
  using withTwo = leia.connect(null);
  const hello: Command = {
    kind: { $case: "hello", value: { client: undefined, features: [], cursors: [], processId: "" } },
  };
  withTwo.write(hello, hello);
  expect(await withTwo.ended).toMatchObject({ reason: "HELLO_EXPECTED" });
  using empty = leia.connect(null);
  empty.write();
  empty.write(hello);
  expect(await empty.ended).toMatchObject({ reason: "HELLO_EXPECTED" });
  using twice = await leia.connect().caughtUp();
  twice.write(hello);
  expect(await twice.ended).toMatchObject({ reason: "HELLO_REPEATED" });
});

test("a session above its number of streams is refused", async () => {
  const han = await server.logIn("han");
  const streams = await Promise.all(
    Array.from({ length: limits.streamsPerSession }, () => han.connect().caughtUp()),
  );
  using extra = han.connect();
  expect(await extra.ended).toMatchObject({ code: 8, reason: "TOO_MANY_STREAMS" });
  for (const stream of streams) stream[Symbol.dispose]();
});

test("bytes that are not the expected message are refused as UNDECODABLE", async () => {
  const cases = {
    "broken UTF-8": Buffer.from([0x0a, 0x02, 0xc3, 0x28]),
    "half a message": Buffer.from([0x0a, 0x20, 0x61]),
    "field number 0": Buffer.from([0x00, 0x01]),
    noise: Buffer.from("deadbeefcafebabe", "hex"),
  };
  for (const bytes of Object.values(cases)) {
    const error = await new Promise((resolve) => {
      leia.auth.makeUnaryRequest(
        "/parley.chat.v1.AuthService/LogIn",
        () => bytes,
        (answer: Buffer) => answer,
        {},
        (error) => resolve(fromServiceError(error)),
      );
    });
    expect(error).toMatchObject({ code: 3, reason: "UNDECODABLE" });
  }
  const call: ClientDuplexStream<Buffer, Buffer> = leia.chat.makeBidiStreamRequest(
    "/parley.chat.v1.ChatService/Connect",
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
    leia.metadata,
  );
  const ended = new Promise((resolve) => call.on("error", (error) => resolve(fromServiceError(error))));
  call.write(cases["broken UTF-8"]);
  expect(await ended).toMatchObject({ code: 3, reason: "UNDECODABLE" });
});

describe("a request that is too long", () => {
  const error = (bytes: number, most: number) => ({
    code: 3,
    reason: "REQUEST_TOO_LARGE",
    message: `The request has ${bytes} bytes, and at most ${most} are allowed.`,
  });

  test.each([
    ["AuthService/LogIn", 2 * 1024],
    ["AuthService/SignUp", 2 * 1024],
    ["BlockService/BlockUser", 2 * 1024],
    ["ChatService/SendMessage", 132 * 1024],
  ])("%s takes at most %i bytes", async (method, most) => {
    for (const bytes of [most + 1, 1024 * 1024]) {
      const refusal = await new Promise((resolve) => {
        leia.chat.makeUnaryRequest(
          `/parley.chat.v1.${method}`,
          () => Buffer.alloc(bytes),
          (answer: Buffer) => answer,
          undefined,
          leia.metadata,
          (error) => resolve(fromServiceError(error)),
        );
      });
      expect(refusal).toMatchObject(error(bytes, most));
    }
  });

  test.each([limits.requestBytes + 1, 1024 * 1024])(
    "%i bytes on a stream end only that stream",
    async (bytes) => {
      using other = await leia.connect().caughtUp();
      const call: ClientDuplexStream<Buffer, Buffer> = leia.chat.makeBidiStreamRequest(
        "/parley.chat.v1.ChatService/Connect",
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        leia.metadata,
      );
      const ended = new Promise((resolve) => call.on("error", (error) => resolve(fromServiceError(error))));
      call.write(Buffer.alloc(bytes));
      expect(await ended).toMatchObject(error(bytes, limits.requestBytes));
      const id = other.send("han", "another stream");
      expect((await other.next("ack")).clientMessageId).toBe(id);
    },
  );
});

test("log-in and sign-up refuse invalid input, and a log-in does not reveal whether a name exists", async () => {
  const stranger = server.anonymous();
  const wrongName = await stranger.logIn("nobody", "password of leia").catch((error: RpcError) => error);
  const wrongPassword = await stranger.logIn("leia", "password of han").catch((error: RpcError) => error);
  expect(wrongName).toMatchObject({ code: 16, reason: "CREDENTIALS_WRONG" });
  expect(String(wrongName)).toBe(String(wrongPassword));
  await expect(stranger.logIn("leia", "password of lei")).rejects.toMatchObject({
    reason: "CREDENTIALS_WRONG",
  });
  await expect(stranger.logIn("", "x")).rejects.toMatchObject({ reason: "INVALID_FIELD", field: "username" });
  const signUp = (username: string, password: string) =>
    stranger.unary(stranger.auth, stranger.auth.signUp, {
      username,
      password,
      invite: "",
      client: undefined,
    });
  await expect(signUp("LEIA", "long enough")).rejects.toMatchObject({ code: 6, reason: "USERNAME_TAKEN" });
  await expect(signUp("1eia", "long enough")).rejects.toMatchObject({ reason: "USERNAME_TAKEN" });
  await expect(signUp("with space", "long enough")).rejects.toMatchObject({ reason: "USERNAME_INVALID" });
  await expect(signUp("rey", "short")).rejects.toMatchObject({
    reason: "PASSWORD_INVALID",
    field: "password",
  });
  const { grant } = await signUp("rey", "long enough");
  expect(grant?.user?.username).toBe("rey");
});
