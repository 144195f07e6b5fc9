// Builds commands with bytes that this version of the contract does not know, and reads contents as bytes.
import { BroadcastRequest, SendMessageRequest, type Target } from "../../gen/parley/chat/v1/chat_service.ts";
import { lengthDelimited, rawField, repeatedField } from "../../rpc/wire/raw-fields.ts";
import type { Received } from "./stream.ts";

/** Field 99, which no message of this version has, as the number 7 or as a text. */
export const UNKNOWN_NUMBER = Uint8Array.of(0x98, 0x06, 7);
export const UNKNOWN_TEXT = lengthDelimited(99, Buffer.from("from a later version"));

const COMMANDS = 1;
const SEND_MESSAGE = 2;
const BROADCAST = 3;
const CONTENT = 15;
const CONTENT_TEXT = 1;
const ENTRY_APPENDED = 5;
const ENTRY = 1;
const HISTORY_ITEMS = 1;
const HISTORY_ENTRY = 1;

export function textContent(text: string, ...unknown: Uint8Array[]): Uint8Array {
  return Buffer.concat([lengthDelimited(CONTENT_TEXT, Buffer.from(text)), ...unknown]);
}

/** An encoded SendMessageRequest with any bytes as its content. */
export function sendBytes(clientMessageId: bigint, target: Target, content: Uint8Array): Uint8Array {
  const rest = SendMessageRequest.encode({ clientMessageId, target, content: undefined }).finish();
  return Buffer.concat([rest, lengthDelimited(CONTENT, content)]);
}

export function broadcastBytes(clientMessageId: bigint, content: Uint8Array): Uint8Array {
  const rest = BroadcastRequest.encode({ clientMessageId, content: undefined }).finish();
  return Buffer.concat([rest, lengthDelimited(CONTENT, content)]);
}

/** A frame with one command, which has additional bytes. */
export function frameOf(send: Uint8Array, ...besides: Uint8Array[]): Uint8Array {
  return lengthDelimited(COMMANDS, Buffer.concat([lengthDelimited(SEND_MESSAGE, send), ...besides]));
}

export function broadcastFrame(broadcast: Uint8Array): Uint8Array {
  return lengthDelimited(COMMANDS, lengthDelimited(BROADCAST, broadcast));
}

/** A frame with a command of an unknown kind, field 99 of the oneof. */
export const unknownCommand = lengthDelimited(COMMANDS, lengthDelimited(99, Buffer.alloc(0)));

/** The content of an entry that was received on a stream, as hex. */
export function contentOf({ bytes }: Received): string {
  const appended = rawField(bytes, ENTRY_APPENDED);
  const entry = appended && rawField(appended, ENTRY);
  return hex(entry && rawField(entry, CONTENT));
}

/** The contents of the entries in an encoded ListMessagesResponse, as hex. */
export function contentsOf(response: Uint8Array): string[] {
  return repeatedField(response, HISTORY_ITEMS).map((item) => {
    const entry = rawField(item, HISTORY_ENTRY);
    return hex(entry && rawField(entry, CONTENT));
  });
}

export function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "none" : Buffer.from(bytes).toString("hex");
}
