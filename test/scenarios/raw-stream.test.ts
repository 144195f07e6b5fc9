// Scenarios of calls that break the protocol: without a token, before Hello, or with unknown commands and methods. Each is
// refused with a reason and changes nothing. They use Connect, since only Connect has frames of commands.
import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ChatServiceService,
  type Command,
  ConnectRequest,
  ConnectResponse,
} from "../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import { reasonOf, type TestClient, TestStream } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";

const people = ["luke", "yoda"];
const toYoda = { target: { $case: "username", value: "yoda" } } as const;
const content = { kind: { $case: "text", value: "too early" } } as const;
const hello: Command = {
  kind: { $case: "hello", value: { client: undefined, features: [], cursors: [], processId: "" } },
};
const send: Command = {
  kind: { $case: "sendMessage", value: { clientMessageId: 1n, target: toYoda, content } },
};

const commands: [string, Command][] = [
  ["a message", send],
  ["a broadcast", { kind: { $case: "broadcast", value: { clientMessageId: 1n, content } } }],
  ["typing", { kind: { $case: "setTyping", value: { target: toYoda, typing: true } } }],
  [
    "a marker",
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
  ["activity", { kind: { $case: "reportActivity", value: {} } }],
  ["an empty command", { kind: undefined }],
];

/** A Connect stream whose frames the test writes as bytes. */
function rawStream(client: TestClient): { readonly stream: TestStream; write(bytes: Uint8Array): void } {
  const call = client.chat.makeBidiStreamRequest(
    ChatServiceService.connect.path,
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => ConnectResponse.decode(bytes),
    client.metadata,
  );
  const written = { write: (bytes: Uint8Array) => call.write(bytes) };
  return { stream: new TestStream(call, client), ...written };
}

/** Checks that luke has stored nothing, and was never online. */
async function expectNoEffect(server: TestServer, luke: TestClient): Promise<void> {
  const yoda = await connectUser(server, "yoda");
  expect(await yoda.client.whoelse(2n ** 62n)).toEqual([]);
  const request = { pageSize: 0, pageToken: "", background: true };
  const { conversations } = await luke.unary(luke.history, luke.history.listConversations, request);
  expect(conversations.map(({ headSeq }) => headSeq)).toEqual([0n]);
}

describe("before Hello", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ users: people });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(commands)("%s ends the stream and has no effect", async (_, command) => {
    const luke = await server.logIn("luke");
    const stream = luke.connect(null);
    stream.write(command);
    expect((await stream.ended)?.reason).toBe("HELLO_EXPECTED");
    expect(stream.events).toEqual([]);
    await expectNoEffect(server, luke);
  });
});

test("a first frame with another command beside Hello ends the stream and has no effect", async () => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  for (const frame of [
    [hello, send],
    [send, hello],
    [hello, hello],
  ]) {
    const stream = luke.connect(null);
    stream.write(...frame);
    expect((await stream.ended)?.reason).toBe("HELLO_EXPECTED");
  }
  await expectNoEffect(server, luke);
});

test("an unknown command is refused with a reason; the commands beside it take effect, and the stream continues", async () => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  const { stream, write } = rawStream(luke);
  write(ConnectRequest.encode({ commands: [hello] }).finish());
  await stream.caughtUp();
  // Field 99 of Command, as a later version of the contract may define it.
  const unknown = Uint8Array.of(0x0a, 3, 0x9a, 0x06, 0);
  const known = ConnectRequest.encode({ commands: [send] }).finish();
  write(Buffer.concat([unknown, known, unknown]));
  while (stream.all("refused").length < 2 || stream.all("ack").length < 1) await stream.change();
  const refused = { reason: Reason.UNSUPPORTED_COMMAND, clientMessageId: 0n };
  expect(stream.all("refused")).toMatchObject([refused, refused]);
  expect(stream.all("ack")).toMatchObject([{ clientMessageId: 1n, seq: 1n }]);
  expect(await luke.textsWith("yoda")).toEqual(["too early"]);
  stream[Symbol.dispose]();
});

test("an unknown method is refused with a reason, and the next call is answered", async () => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  const error = await new Promise<RpcError | undefined>((resolve) => {
    luke.chat.makeUnaryRequest(
      "/parley.chat.v1.ChatService/LogOutEverybody",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.alloc(0),
      luke.metadata,
      (failure) => resolve(failure === null ? undefined : fromServiceError(failure)),
    );
  });
  expect(error).toMatchObject({ code: status.UNIMPLEMENTED, reason: "UNSUPPORTED_METHOD" });
  expect(await luke.whoelse()).toEqual([]);
});

test("a stream is refused if its token is missing, cut short, made up, or of a session that has ended", async () => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  const token = luke.grant?.token ?? "";
  const ending = async (authorization?: string): Promise<string | undefined> => {
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set("authorization", authorization);
    return (await new TestStream(luke.chat.connect(metadata), luke).ended)?.reason;
  };
  expect(await ending()).toBe("TOKEN_MISSING");
  expect(await ending(token)).toBe("TOKEN_MISSING");
  expect(await ending(`Bearer ${token.slice(0, -1)}`)).toBe("TOKEN_INVALID");
  expect(await ending("Bearer luke")).toBe("TOKEN_INVALID");
  await luke.logOut();
  expect(await ending(`Bearer ${token}`)).toBe("TOKEN_INVALID");
  expect(await reasonOf(luke.send("yoda", "too late"))).toBe("TOKEN_INVALID");
  await expectNoEffect(server, await server.logIn("luke"));
});
