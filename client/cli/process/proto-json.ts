// Canonical Protobuf-JSON, made from the schema's descriptors: ts-proto's toJSON differs for durations and names.
import { type DescMessage, fromBinary, toJsonString } from "@bufbuild/protobuf";
import { messageOf, schema } from "./schema.ts";

/** Characters that a terminal may interpret or show as another character. In JSON they only occur within strings. */
const doubtful = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * One line of JSON for an encoded message of the named type, such as "parley.chat.v1.Ack". Characters that could harm a
 * terminal are escaped as \u and four digits, which does not change the value.
 */
export function protoJson(typeName: string, bytes: Uint8Array): string {
  return safeProtoJson(messageOf(typeName), bytes);
}

/** Like `protoJson`, for a message of this type. */
export function safeProtoJson(message: DescMessage, bytes: Uint8Array): string {
  const json = toJsonString(message, fromBinary(message, bytes), { registry: schema() });
  return json.replace(doubtful, (found) =>
    Array.from({ length: found.length }, (_, index) => escaped(found.charCodeAt(index))).join(""),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
