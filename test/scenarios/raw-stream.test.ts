// Scenarios of callers who speak out of turn: without a token, before Hello, or in words that this server does not know.
// Each is told plainly, and nothing is changed. Hello and frames of commands are what Connect has: these have one transport.
import { Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
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
import { online } from "./online.ts";

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
        value: { markers: [{ conversationId: "c1", deliveredSeq: 0n, readSeq: 0n }] },
      },
    },
  ],
  ["activity", { kind: { $case: "reportActivity", value: {} } }],
  ["an empty command", { kind: undefined }],
];

/** A stream whose frames are written as bytes. */
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

/** Nothing was stored, told or changed by luke, who is not online either. */
async function nothingHappened(server: TestServer, luke: TestClient): Promise<void> {
  const yoda = await online(server, "yoda");
  expect(await yoda.client.whoelse(2n ** 62n)).toEqual([]);
  const request = { pageSize: 0, pageToken: "", background: true };
  const { conversations } = await luke.unary(luke.history, luke.history.listConversations, request);
  expect(conversations.map(({ headSeq }) => headSeq)).toEqual([0n]);
}

test.each(commands)("%s before Hello ends the stream, and does nothing", async (_, command) => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  const stream = luke.connect(null);
  stream.write(command);
  expect((await stream.ended)?.reason).toBe("HELLO_EXPECTED");
  expect(stream.events).toEqual([]);
  await nothingHappened(server, luke);
});

test("Hello comes alone: with a command beside it, it ends the stream, and the command does nothing", async () => {
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
  await nothingHappened(server, luke);
});

test("an unknown command is refused by name; the commands beside it are done, and the stream goes on", async () => {
  await using server = await TestServer.start({ users: people });
  const luke = await server.logIn("luke");
  const { stream, write } = rawStream(luke);
  write(ConnectRequest.encode({ commands: [hello] }).finish());
  await stream.caughtUp();
  // Alternative 99 of Command: of a later client, say.
  const unknown = Uint8Array.of(0x0a, 3, 0x9a, 0x06, 0);
  const known = ConnectRequest.encode({ commands: [send] }).finish();
  write(Buffer.concat([unknown, known, unknown]));
  while (stream.all("refused").length < 2 || stream.all("ack").length < 1) await stream.change();
  const refused = { reason: Reason.UNSUPPORTED_COMMAND, clientMessageId: 0n };
  expect(stream.all("refused")).toMatchObject([refused, refused]);
  expect(stream.all("ack")).toMatchObject([{ clientMessageId: 1n, seq: 1n }]);
  expect(await luke.said("yoda")).toEqual(["too early"]);
  stream[Symbol.dispose]();
});

test("a method that does not exist is answered so, and the next call is served", async () => {
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

test("a token that is missing, cut short, made up, or of a session that is over opens nothing", async () => {
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
  await nothingHappened(server, await server.logIn("luke"));
});
