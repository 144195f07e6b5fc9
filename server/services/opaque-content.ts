// Keeps the bytes of each sent Content beside the decoded request, so that fields which this server does not know are
// stored and handed on as they came.
import {
  type BroadcastRequest,
  ChatServiceService,
  type ConnectRequest,
  type SendMessageRequest,
} from "../../gen/parley/chat/v1/chat_service.ts";
import { rawField, repeatedField, strictDefinition, Undecodable } from "../../rpc/decode.ts";
import { CONTENT_FIELD } from "../chat/encoding.ts";

/** Field numbers in ConnectRequest and Command; test/server/services/opaque-content.test.ts holds them to the proto. */
const REQUEST_COMMANDS = 1;
const COMMAND_SEND_MESSAGE = 2;
const COMMAND_BROADCAST = 3;

type Send = SendMessageRequest | BroadcastRequest;

const contents = new WeakMap<Send, Uint8Array>();

/** The encoded Content of a send that came in through `chatDefinition`; undefined where it had none. */
export function contentBytes(send: Send): Uint8Array | undefined {
  return contents.get(send);
}

const strict = strictDefinition(ChatServiceService);

/** ChatService with deserializers that keep contents. */
export const chatDefinition = {
  ...strict,
  connect: { ...strict.connect, requestDeserialize: decodeConnectRequest },
  sendMessage: {
    ...strict.sendMessage,
    requestDeserialize: (bytes: Buffer) => keep(strict.sendMessage.requestDeserialize(bytes), bytes),
  },
  broadcast: {
    ...strict.broadcast,
    requestDeserialize: (bytes: Buffer) => keep(strict.broadcast.requestDeserialize(bytes), bytes),
  },
} as const;

function decodeConnectRequest(bytes: Buffer): ConnectRequest {
  const request = strict.connect.requestDeserialize(bytes);
  if (request instanceof Undecodable) return request;
  let encoded: Uint8Array[] | undefined;
  for (const [index, command] of request.commands.entries()) {
    const kind = command.kind;
    if (kind?.$case !== "sendMessage" && kind?.$case !== "broadcast") continue;
    encoded ??= repeatedField(bytes, REQUEST_COMMANDS);
    const field = kind.$case === "sendMessage" ? COMMAND_SEND_MESSAGE : COMMAND_BROADCAST;
    const send = rawField(encoded[index] ?? bytes.subarray(0, 0), field);
    if (send !== undefined) keep(kind.value, send);
  }
  return request;
}

function keep<T extends Send>(send: T, encoded: Uint8Array): T {
  if (send instanceof Undecodable) return send;
  const content = rawField(encoded, CONTENT_FIELD);
  if (content !== undefined) contents.set(send, content);
  return send;
}
