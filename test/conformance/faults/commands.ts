// Faults of servers in contents, unknown commands and fields, refusals, and limits.
import { status } from "@grpc/grpc-js";
import {
  ConnectRequest,
  SendMessageRequest,
  SendMessageResponse,
  SetMarkersRequest,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { Tampering, UnaryCall } from "../tampering-proxy.ts";
import { answering, asked, changed, type Fault, nothing, refusal, withoutDetails } from "./fault.ts";

const same = <T>(value: T): T => value;
/** Decodes and encodes messages, which drops what this version does not know. */
const dropsUnknown: Tampering = {
  down: () => (event) => [event],
  unary: answering({ ListMessages: changed(ListMessagesResponse, same) }),
};

export const commandFaults: readonly Fault[] = [
  {
    what: "puts no facts into refusals on a stream",
    tampering: () => ({
      down: () => (event) => {
        const { kind } = event;
        return kind?.$case === "refused"
          ? [{ kind: { ...kind, value: { ...kind.value, metadata: {} } } }]
          : [event];
      },
    }),
    detectedBy: { "limits.facts": /maximum and unit on a stream/ },
  },
  {
    what: "trims texts",
    tampering: () => ({
      unary: answering({
        SendMessage: asked(SendMessageRequest, (request) => {
          const kind = request.content?.kind;
          if (kind === undefined || kind.value.trim() === "") return request;
          return { ...request, content: { kind: { ...kind, value: kind.value.trim() } } };
        }),
      }),
    }),
    detectedBy: { "content.verbatim": /the texts on a stream/ },
  },
  {
    what: "drops the parts of a content that it does not know",
    tampering: () => dropsUnknown,
    detectedBy: { "content.unknown-fields": /the content on a live stream/ },
  },
  {
    what: "takes any kind of content",
    tampering: () => ({
      unary: answering({
        SendMessage: asked(SendMessageRequest, (request) =>
          request.content?.kind === undefined
            ? { ...request, content: { kind: { $case: "text" as const, value: "of some kind" } } }
            : request,
        ),
      }),
    }),
    detectedBy: { "content.unknown-kind": /a content of an unknown kind: CONTENT_KIND_UNKNOWN.*no refusal/ },
  },
  {
    what: "compares the texts of two contents, not their bytes",
    tampering: () => ({ unary: answering({ SendMessage: asked(SendMessageRequest, same) }) }),
    detectedBy: { "content.compared": /other bytes under the same id: CLIENT_MESSAGE_ID_REUSED.*no refusal/ },
  },
  {
    what: "replaces invalid UTF-8 by question marks",
    tampering: () => ({
      unary: answering({
        SendMessage: (call) => call.forward(call.request.map((byte) => (byte === 0xff ? 0x3f : byte))),
      }),
    }),
    detectedBy: { "content.utf-8": /a text with a byte FF: UNDECODABLE.*no refusal/ },
  },
  {
    what: "ends a stream because of an unknown command",
    tampering: () => ({
      up: (stream) => (frame, commands) => {
        if (!commands.some(({ kind }) => kind === undefined)) return [frame];
        const reason = "UNSUPPORTED_COMMAND";
        stream.end(refusal({ code: status.UNIMPLEMENTED, reason, message: "What?" }));
        return [];
      },
    }),
    detectedBy: { "unknown.command": /Refused for the first.*the end of the stream/ },
  },
  {
    what: "ignores commands that it does not know",
    tampering: () => ({
      up: () => (_frame, commands) => [commands.filter(({ kind }) => kind !== undefined)],
    }),
    detectedBy: { "unknown.command": /Refused for the first.*nothing within/ },
  },
  {
    what: "refuses fields that it does not know",
    tampering: () => ({
      up: (stream) => (frame, commands) => {
        if (Buffer.from(ConnectRequest.encode({ commands }).finish()).equals(frame)) return [frame];
        const reason = "UNDECODABLE";
        stream.end(refusal({ code: status.INVALID_ARGUMENT, reason, message: "What?" }));
        return [];
      },
    }),
    detectedBy: { "unknown.fields": /CaughtUp after the backlog.*UNDECODABLE/ },
  },
  {
    what: "answers calls of unknown methods",
    tampering: () => ({ further: ["/parley.chat.v1.ChatService/Conjure"] }),
    detectedBy: { "unknown.method": /an unknown method: a status.*an answer/ },
  },
  {
    what: "ignores frames that it cannot decode",
    tampering: () => ({ up: () => (frame, commands) => (commands.length === 0 ? [] : [frame]) }),
    detectedBy: { "unknown.bytes": /its end as .*nothing within/ },
  },
  {
    what: "sends statuses without details",
    tampering: () => ({
      unary: (call) =>
        call.forward().catch((error: unknown) => {
          throw withoutDetails(error);
        }),
    }),
    detectedBy: {
      "refusals.by-call": /a send to an unknown user: a google\.rpc\.ErrorInfo.*NOT_FOUND without a reason/,
      "once.reused": /another content: a google\.rpc\.ErrorInfo/,
      "block.refusals": /a second block: a google\.rpc\.ErrorInfo/,
    },
  },
  {
    what: "uses one reason for all refusals",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "refused") return [event];
        return [{ kind: { ...event.kind, value: { ...event.kind.value, reason: Reason.INTERNAL } } }];
      },
    }),
    detectedBy: {
      "refusals.on-a-stream": /a send to an unknown user: the reason in Refused: USER_NOT_FOUND.*INTERNAL/,
      "markers.on-a-stream": /the reason in Refused: MARKER_BEYOND_HEAD.*INTERNAL/,
    },
  },
  {
    what: "refuses without the client message id",
    tampering: () => ({
      down: () => (event) => {
        if (event.kind?.$case !== "refused") return [event];
        return [{ kind: { ...event.kind, value: { ...event.kind.value, clientMessageId: 0n } } }];
      },
    }),
    detectedBy: { "refusals.on-a-stream": /Refused\.client_message_id/ },
  },
  {
    what: "announces a higher limit than it has",
    tampering: () => ({ down: () => (event) => [moreContent(event)] }),
    detectedBy: { "limits.content": /SendMessage: an answer.*CONTENT_TOO_LARGE/ },
  },
  {
    what: "accepts requests of any length",
    tampering: () => ({ unary: answering({ SendMessage: acceptsAnything }) }),
    detectedBy: {
      "limits.request": /a call above the limit: INVALID_ARGUMENT or RESOURCE_EXHAUSTED.*an answer/,
    },
  },
  {
    what: "accepts frames of any length",
    tampering: () => ({
      up: () => (frame, commands) =>
        commands.length > 1_000 ? [commands.slice(0, 1_000), commands.slice(1_000)] : [frame],
    }),
    detectedBy: { "limits.commands": /its end as .*nothing within/ },
  },
  {
    what: "accepts any number of markers",
    tampering: () => ({
      unary: answering({
        SetMarkers: (call) =>
          SetMarkersRequest.decode(call.request).markers.length > 1_000 ? nothing() : call.forward(),
      }),
    }),
    detectedBy: { "limits.markers": /1,001 markers: INVALID_FIELD.*no refusal/ },
  },
  {
    what: "does not check ClientInfo",
    tampering: () => ({ hello: (hello) => ({ ...hello, client: undefined }) }),
    detectedBy: { "limits.client": /its end as .*nothing within/ },
  },
  {
    what: "announces a time-out that it does not have",
    tampering: () => ({
      down: () => (event) => {
        const kind = event.kind;
        if (kind?.$case !== "welcome" || kind.value.limits === undefined) return [event];
        const limits = { ...kind.value.limits, idleTimeout: { seconds: 0n, nanos: 500_000_000 } };
        return [{ kind: { ...kind, value: { ...kind.value, limits } } }];
      },
    }),
    detectedBy: { "limits.idle-timeout": /its end as .*nothing within/ },
  },
];

function moreContent(event: Event): Event {
  const kind = event.kind;
  if (kind?.$case !== "welcome" || kind.value.limits === undefined) return event;
  const limits = { ...kind.value.limits, maxContentBytes: 2 * kind.value.limits.maxContentBytes };
  return { kind: { ...kind, value: { ...kind.value, limits } } };
}

function acceptsAnything(call: UnaryCall): Promise<Uint8Array> {
  if (call.request.length <= 256 * 1024) return call.forward();
  const { clientMessageId } = SendMessageRequest.decode(call.request);
  const rest = { conversationId: "c1", seq: 1n, sendTime: new Date(), repeatedSend: false, withheld: false };
  return Promise.resolve(SendMessageResponse.encode({ ack: { clientMessageId, ...rest } }).finish());
}
