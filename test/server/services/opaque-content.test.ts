// Tests that contents keep their bytes, including unknown fields, on the stream, in unary calls and in the history.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { ChatServiceService } from "../../../gen/parley/chat/v1/chat_service.ts";
import { HistoryServiceService } from "../../../gen/parley/chat/v1/history_service.ts";
import { repeatedField } from "../../../rpc/calls/decode.ts";
import { TestServer } from "../../support/server.ts";

const asIs = (bytes: Buffer): Buffer => bytes;
/** An unknown field, then Content.text: an order that no encoder produces. */
const content = new BinaryWriter()
  .uint32((99 << 3) | 2)
  .string("from the future")
  .uint32((1 << 3) | 2)
  .string("hi")
  .finish();

function send(clientMessageId: number): Uint8Array {
  const target = new BinaryWriter()
    .uint32((1 << 3) | 2)
    .string("han")
    .finish();
  return new BinaryWriter()
    .uint32(1 << 3)
    .uint64(BigInt(clientMessageId))
    .uint32((2 << 3) | 2)
    .bytes(target)
    .uint32((15 << 3) | 2)
    .bytes(content)
    .finish();
}

test("unknown fields of a content reach every reader byte for byte", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const frames: Buffer[] = [];
  const stream = leia.chat.makeBidiStreamRequest(ChatServiceService.connect.path, asIs, asIs, leia.metadata);
  const acked = Promise.withResolvers<void>();
  stream.on("error", () => {});
  let acks = 0;
  stream.on("data", (frame: Buffer) => {
    for (const event of repeatedField(frame, 1)) if (event[0] === 0x1a && ++acks === 2) acked.resolve();
  });
  const command = (field: number, message: Uint8Array) =>
    new BinaryWriter()
      .uint32((1 << 3) | 2)
      .fork()
      .uint32((field << 3) | 2)
      .bytes(message)
      .join()
      .finish();
  stream.write(Buffer.from(command(1, new Uint8Array())));
  // Two sends in one frame, so that each content must be found in its own command.
  stream.write(Buffer.concat([command(2, send(1)), command(2, send(2))]));
  await acked.promise;
  stream.cancel();
  await new Promise<void>((resolve, reject) => {
    leia.chat.makeUnaryRequest(
      ChatServiceService.sendMessage.path,
      () => Buffer.from(send(3)),
      asIs,
      {},
      leia.metadata,
      (error) => (error === null ? resolve() : reject(error ?? new Error("no answer"))),
    );
  });
  const following = han.chat.makeServerStreamRequest(
    ChatServiceService.follow.path,
    () => Buffer.alloc(0),
    asIs,
    {},
    han.metadata,
  );
  following.on("error", () => {});
  for await (const frame of following) {
    frames.push(frame as Buffer);
    if (count(Buffer.concat(frames), content) === 3) break;
  }
  expect(count(Buffer.concat(frames), content)).toBe(3);
  const history = await new Promise<Buffer>((resolve, reject) => {
    const request = HistoryServiceService.listMessages.requestSerialize({
      target: { target: { $case: "username", value: "leia" } },
      fromSeq: 0n,
      toSeq: 0n,
      fromTime: undefined,
      toTime: undefined,
      order: 0,
      pageSize: 0,
      pageToken: "",
      background: false,
    });
    han.history.makeUnaryRequest(
      HistoryServiceService.listMessages.path,
      () => request,
      asIs,
      {},
      han.metadata,
      (error, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error("no answer")),
    );
  });
  expect(count(history, content)).toBe(3);
});

function count(haystack: Buffer, needle: Uint8Array): number {
  let found = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) found++;
  return found;
}
