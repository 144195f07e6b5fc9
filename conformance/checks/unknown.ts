// Checks of what later versions of clients send: unknown commands and methods are refused, unknown fields are ignored.
import { status } from "@grpc/grpc-js";
import { ChatServiceService, ConnectRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { hello, send, text, toUser } from "../client/commands.ts";
import { CheckFailure, equal } from "../client/expect.ts";
import { entriesFrom } from "../client/named.ts";
import {
  frameOf,
  sendBytes,
  textContent,
  UNKNOWN_NUMBER,
  UNKNOWN_TEXT,
  unknownCommand,
} from "../client/raw.ts";
import { endedBy, isRefused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

export const unknownChecks: readonly Check[] = [
  {
    name: "unknown.command",
    says: "an unknown or empty command is refused; the other commands are carried out, and the stream stays open",
    contract: "reason.proto: REASON_UNSUPPORTED_COMMAND",
    run: async ({ ann, ben }) => {
      const stream = await ann.connect();
      const id = ann.nextId();
      const known = ConnectRequest.encode({
        commands: [send(id, toUser(ben.username), text("known"))],
      }).finish();
      // Concatenated frames are one frame.
      stream.writeBytes(Buffer.concat([unknownCommand, known, unknownCommand]));
      stream.write({ kind: undefined });
      for (const which of ["the first", "the second", "an empty command"]) {
        const refused = await stream.next("refused", undefined, `Refused for ${which}`);
        isRefused(which, refused, "UNSUPPORTED_COMMAND");
      }
      await stream.acked(id);
      await stream.acked(ann.sendOn(stream, ben, ["the stream goes on"])[0] ?? 0n);
    },
  },
  {
    name: "unknown.fields",
    says: "unknown fields in commands, in Hello and in requests are ignored, and the rest is carried out",
    contract: "docs/compatibility.md: What may be added at any time",
    run: async ({ ann, ben }) => {
      const stream = ann.open(null);
      const opening = Buffer.from(ConnectRequest.encode({ commands: [hello()] }).finish());
      stream.writeBytes(Buffer.concat([opening, UNKNOWN_TEXT]));
      await stream.caughtUp();
      const id = ann.nextId();
      const onStream = sendBytes(id, toUser(ben.username), textContent("on a stream"));
      stream.writeBytes(frameOf(Buffer.concat([onStream, UNKNOWN_NUMBER]), UNKNOWN_TEXT));
      const { conversationId, seq } = await stream.acked(id);
      const called = sendBytes(ann.nextId(), toUser(ben.username), textContent("by a call"));
      await ann.call(ChatServiceService.sendMessage, Buffer.concat([called, UNKNOWN_TEXT]));
      const expected = entriesFrom(seq, ["on a stream", "by a call"]);
      equal("the log", await ben.log(conversationId, seq), expected);
    },
  },
  {
    name: "unknown.method",
    says: "a call of an unknown method ends with UNIMPLEMENTED, and the next call is served",
    contract: "docs/errors.md: The list",
    run: async ({ ann }) => {
      const method = { ...ChatServiceService.reportActivity, path: "/parley.chat.v1.ChatService/Conjure" };
      const error = await ann.call(method, {}).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof RpcError)) throw new CheckFailure("an unknown method", "a status", "an answer");
      equal("the status of an unknown method", status[error.code], "UNIMPLEMENTED");
      await ann.call(ChatServiceService.reportActivity, {});
    },
  },
  {
    name: "unknown.bytes",
    says: "a frame that is not a ConnectRequest ends its stream as UNDECODABLE, and no other stream",
    contract: "reason.proto: REASON_UNDECODABLE",
    run: async ({ ann, ben }) => {
      const [broken, other] = [await ann.connect(), await ann.connect()];
      broken.writeBytes(Uint8Array.of(0x0a, 0x7f, 1, 2, 3));
      await endedBy("the stream of a broken frame", broken, "UNDECODABLE");
      await other.acked(ann.sendOn(other, ben, ["still here"])[0] ?? 0n);
    },
  },
];
