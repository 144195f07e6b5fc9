// Keeps the encoded bytes of each sent Content, so that fields unknown to this server are stored and delivered unchanged.
import {
  type BroadcastRequest,
  ChatServiceService,
  type ConnectRequest,
  type SendMessageRequest,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import { rawField, repeatedField, strictDefinition, Undecodable } from "../../../rpc/calls/decode.ts";
import { CONTENT_FIELD } from "../../chat/encoding.ts";

/** Field numbers in ConnectRequest and Command. They are checked by test/server/services/opaque-content.test.ts. */
const REQUEST_COMMANDS = 1;
const COMMAND_SEND_MESSAGE = 2;
const COMMAND_BROADCAST = 3;

type SendRequest = SendMessageRequest | BroadcastRequest;

const contents = new WeakMap<SendRequest, Uint8Array>();

/** The encoded Content of a send that was decoded by `chatDefinition`; undefined if it has none. */
export function contentBytes(send: SendRequest): Uint8Array | undefined {
  return contents.get(send);
}

const strict = strictDefinition(ChatServiceService);

/** ChatService with deserializers that keep the bytes of contents. */
export const chatDefinition = {
  ...strict,
  connect: {
    ...strict.connect,
    requestDeserialize: keeping(strict.connect.requestDeserialize, keepInCommands),
  },
  sendMessage: {
    ...strict.sendMessage,
    requestDeserialize: keeping(strict.sendMessage.requestDeserialize, keepContent),
  },
  broadcast: {
    ...strict.broadcast,
    requestDeserialize: keeping(strict.broadcast.requestDeserialize, keepContent),
  },
} as const;

/** Makes a deserializer that keeps the bytes. Like the strict ones, it returns an Undecodable instead of throwing. */
function keeping<T extends object>(
  deserialize: (bytes: Buffer, fields?: number) => T,
  keep: (request: T, bytes: Uint8Array) => void,
): (bytes: Buffer, fields?: number) => T {
  return (bytes, fields) => {
    const request = deserialize(bytes, fields);
    if (request instanceof Undecodable) return request;
    try {
      keep(request, bytes);
      return request;
    } catch (cause) {
      return new Undecodable(cause) as unknown as T;
    }
  };
}

function keepInCommands(request: ConnectRequest, bytes: Uint8Array): void {
  let encoded: Uint8Array[] | undefined;
  for (const [index, command] of request.commands.entries()) {
    const kind = command.kind;
    if (kind?.$case !== "sendMessage" && kind?.$case !== "broadcast") continue;
    encoded ??= repeatedField(bytes, REQUEST_COMMANDS);
    const field = kind.$case === "sendMessage" ? COMMAND_SEND_MESSAGE : COMMAND_BROADCAST;
    const send = rawField(encoded[index] ?? bytes.subarray(0, 0), field);
    if (send !== undefined) keepContent(kind.value, send);
  }
}

function keepContent(send: SendRequest, bytes: Uint8Array): void {
  const content = rawField(bytes, CONTENT_FIELD);
  if (content !== undefined) contents.set(send, content);
}
