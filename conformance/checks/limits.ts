// Checks of the limits in Welcome: anything up to a limit is accepted, and anything above it is refused.

import { status } from "@grpc/grpc-js";
import { RpcError } from "../../rpc/status/status.ts";
import {
  broadcast,
  hello,
  marker,
  reportActivity,
  send,
  setMarkers,
  text,
  toUser,
} from "../client/commands.ts";
import { CheckFailure, equal, eventually, present, Skip } from "../client/expect.ts";
import { endedBy, isRefused, refused } from "../client/reasons.ts";
import type { Check, Fixture } from "./check.ts";

/** The longest encoding of the tag and length of a text, bytes. */
const AROUND = 6;
const MARKERS = 1_000;
const CLIENT_FIELD = 64;

export const limitChecks: readonly Check[] = [
  {
    name: "limits.content",
    says: "a content of max_content_bytes is stored, and a longer one refused, by call and on a stream",
    contract: "event.proto: Limits.max_content_bytes",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const most = limitsOf(fixture).maxContentBytes;
      const atMost = text("x".repeat(most - lengthAround(most)));
      const above = text("x".repeat(most - lengthAround(most) + 1));
      await ann.send(ben, atMost);
      const details = { field: "content" };
      await refused("a content one byte above", ann.send(ben, above), "CONTENT_TOO_LARGE", details);
      await refused("a broadcast one byte above", ann.broadcast(above), "CONTENT_TOO_LARGE", details);
      const stream = await ann.connect();
      const [first, second, third] = [ann.nextId(), ann.nextId(), ann.nextId()];
      stream.write(send(first, toUser(ben.username), above));
      isRefused("a content one byte above, on a stream", await stream.next("refused"), "CONTENT_TOO_LARGE", {
        ...details,
        clientMessageId: first,
      });
      stream.write(broadcast(second, above));
      isRefused(
        "a broadcast one byte above, on a stream",
        await stream.next("refused"),
        "CONTENT_TOO_LARGE",
        {
          ...details,
          clientMessageId: second,
        },
      );
      stream.write(send(third, toUser(ben.username), atMost));
      await stream.acked(third);
    },
  },
  {
    name: "limits.facts",
    says: "a refusal has the exceeded bound in its metadata, with the same keys in a call and on a stream",
    contract: "event.proto: Refused.metadata",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const most = limitsOf(fixture).maxContentBytes;
      const above = text("x".repeat(most));
      const stream = await ann.connect();
      stream.write(send(ann.nextId(), toUser(ben.username), above));
      const { metadata } = await stream.next("refused");
      equal("maximum and unit on a stream", [metadata.maximum, metadata.unit], [String(most), "bytes"]);
      const error: unknown = await ann.send(ben, above).catch((thrown: unknown) => thrown);
      const called = error instanceof RpcError ? error.metadata : undefined;
      equal("the metadata of the same refusal of a call", called, metadata);
    },
  },
  {
    name: "limits.request",
    says: "a request above max_request_bytes is refused or ends its stream, and the next request is served",
    contract: "event.proto: Limits.max_request_bytes",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const most = limitsOf(fixture).maxRequestBytes;
      const tooMuch = text("x".repeat(most + 1));
      await isTooLong("a call above the limit", ann.send(ben, tooMuch));
      const stream = await ann.connect();
      stream.write(send(ann.nextId(), toUser(ben.username), tooMuch));
      await isTooLong(
        "a frame above the limit",
        stream.ended("the stream of a frame above the limit").then((error) => {
          if (error !== undefined) throw error;
        }),
      );
      await ann.send(ben, "the next one");
    },
  },
  {
    name: "limits.commands",
    says: "a frame of max_commands_per_request commands is accepted, and a longer one ends the stream",
    contract: "event.proto: Limits.max_commands_per_request",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const most = limitsOf(fixture).maxCommandsPerRequest;
      const stream = await ann.connect();
      const id = ann.nextId();
      const fillers = Array.from({ length: most - 1 }, () => reportActivity);
      stream.write(...fillers, send(id, toUser(ben.username), text("the last of the frame")));
      await stream.acked(id);
      stream.write(...fillers, reportActivity, reportActivity);
      await endedBy("a frame of one more", stream, "INVALID_FIELD", { field: "commands" });
    },
  },
  {
    name: "limits.cursors",
    says: "a Hello of more than max_cursors cursors ends the stream",
    contract: "event.proto: Limits.max_cursors",
    run: async (fixture) => {
      const { ann } = fixture;
      const most = limitsOf(fixture).maxCursors;
      const cursors = Array.from({ length: most + 1 }, (_, index) => ({
        conversationId: `none-${index}`,
        seq: 0n,
      }));
      const stream = ann.open(null);
      stream.write(hello({ cursors }));
      await endedBy("one cursor too many", stream, "INVALID_FIELD", { field: "hello.cursors" });
    },
  },
  {
    name: "limits.streams",
    says: "one stream more than max_streams_per_session is refused with a delay, and accepted once another one has closed",
    contract: "event.proto: Limits.max_streams_per_session",
    run: async (fixture) => {
      const most = limitsOf(fixture).maxStreamsPerSession;
      const session = await fixture.logIn("ann");
      const streams = [];
      for (let count = 0; count < most; count++) streams.push(await session.connect());
      const delay = { delay: true };
      await endedBy("one stream too many", session.open(), "TOO_MANY_STREAMS", delay);
      await endedBy("one Follow too many", session.follow(), "TOO_MANY_STREAMS", delay);
      streams[0]?.finish();
      await streams[0]?.ended();
      await session.connect();
    },
  },
  {
    name: "limits.markers",
    says: "of a SetMarkers with 1,000 markers each is checked on its own; one with more is refused as a whole",
    contract: "chat_service.proto: SetMarkersRequest.markers",
    run: async ({ ann, ben, patienceMs }) => {
      const { conversationId, seq } = await ann.send(ben, "to be marked");
      const many = (count: number) =>
        Array.from({ length: count }, (_, index) => marker(`none-${index}`, 1n));
      await refused("1,001 markers", ben.setMarkers(...many(MARKERS + 1)), "INVALID_FIELD", {
        field: "markers",
      });
      const stream = await ben.connect();
      stream.write(setMarkers(...many(MARKERS - 1), marker(conversationId, seq)));
      for (let count = 0; count < MARKERS - 1; count++) {
        isRefused(
          "a marker of an unknown conversation",
          await stream.next("refused"),
          "CONVERSATION_NOT_FOUND",
        );
      }
      const stored = async () => (await ben.conversation(conversationId)).marker?.deliveredSeq;
      await eventually("the delivered_seq of the valid marker", patienceMs, stored, seq);
    },
  },
  {
    name: "limits.client",
    says: "a field of ClientInfo of 64 bytes is accepted, and a longer one is refused",
    contract: "chat_service.proto: ClientInfo.name",
    run: async ({ ann }) => {
      const client = (bytes: number) => ({ name: "n".repeat(bytes), version: "", deviceName: "" });
      await ann.connect({ client: client(CLIENT_FIELD) });
      const stream = ann.open({ client: client(CLIENT_FIELD + 1) });
      await endedBy("a name of 65 bytes", stream, "INVALID_FIELD");
    },
  },
  {
    name: "limits.idle-timeout",
    says: "a session without a command for the idle_timeout ends as SESSION_TIMED_OUT",
    contract: "event.proto: Limits.idle_timeout",
    run: async (fixture) => {
      const timeout = limitsOf(fixture).idleTimeout;
      if (timeout === undefined) throw new Skip("the server announces no idle_timeout");
      const ms = Number(timeout.seconds) * 1_000 + timeout.nanos / 1_000_000;
      if (ms >= fixture.patienceMs)
        throw new Skip(`the time-out of ${ms / 1_000} s is longer than --patience`);
      const session = await fixture.logIn("cat");
      const stream = await session.connect();
      session.hasEnded = true;
      await endedBy("a session that does nothing", stream, "SESSION_TIMED_OUT");
    },
  },
];

function limitsOf({ welcome }: Fixture) {
  return present("Welcome.limits", welcome.limits);
}

/** The number of bytes in a Content of this size that are not part of its text. */
function lengthAround(bytes: number): number {
  for (let around = 2; around < AROUND; around++) {
    const length = bytes - around;
    const varint = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
    if (1 + varint === around) return around;
  }
  return AROUND;
}

/** Asserts that a call is refused because of its length, by the server or by its gRPC library. */
async function isTooLong(what: string, call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const codes = [status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED];
  if (error instanceof RpcError && codes.includes(error.code)) return;
  if (error instanceof Error && !(error instanceof RpcError)) throw error;
  const came = error instanceof RpcError ? `${status[error.code]} (${error.message})` : "an answer";
  throw new CheckFailure(what, "INVALID_ARGUMENT or RESOURCE_EXHAUSTED", came);
}
