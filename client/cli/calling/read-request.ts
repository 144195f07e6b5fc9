// Reads a request from JSON. Errors name the field by its path.
import {
  type DescField,
  type DescMessage,
  fromJson,
  fromJsonString,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import { closest } from "../../../command-line/closest.ts";
import { UsageError } from "../../../command-line/usage-error.ts";
import { usage } from "../process/exit.ts";
import { schema } from "../process/schema.ts";
import { isSecret } from "../process/secret-fields.ts";
import { typeWords } from "./describe.ts";

/** The source of the JSON. A command line must not have secrets: all users of the machine can read it. */
export type Source = "command line" | "standard input";

type JsonObject = { [key: string]: JsonValue };

/** @throws UsageError if it is not JSON of this message, or has a secret on the command line */
export function readRequest(message: DescMessage, json: string, source: Source): Uint8Array {
  check(message, parse(json), "", source);
  try {
    // Parses the text again, because this refuses a duplicate key, which the object does not show.
    return toBinary(message, fromJsonString(message, json, { registry: schema() }));
  } catch (error) {
    throw usage(`The request is not valid: ${messageOf(error)}.`);
  }
}

/** Reads a request of a stream from a line of standard input. @throws UsageError that names the line */
export function readLine(message: DescMessage, line: string, number: number): Uint8Array {
  try {
    return readRequest(message, line, "standard input");
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw usage(`Line ${number}: ${error.message} The stream was ended; the lines before it were sent.`);
  }
}

function parse(json: string): JsonValue {
  try {
    return JSON.parse(json, exactly) as JsonValue;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw usage(`The request is not JSON: ${messageOf(error)}.`);
  }
}

/**
 * Refuses integers that a JSON number cannot represent: they would become another number, and two ids might be equal.
 */
function exactly(key: string, value: unknown, { source = "" }: { readonly source?: string } = {}): unknown {
  const isExact = Number.isSafeInteger(value) || String(value) === source;
  if (typeof value === "number" && /^-?\d+$/.test(source) && !isExact)
    throw usage(`${key}: ${source} is too long for a JSON number. Write it as a string: "${source}".`);
  return value;
}

function check(message: DescMessage, json: JsonValue, path: string, source: Source): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw usage(`${path === "" ? "The request" : path}: expected an object, not ${JSON.stringify(json)}.`);
  }
  for (const [key, value] of Object.entries(json)) {
    const place = path === "" ? key : `${path}.${key}`;
    const field = message.fields.find(({ jsonName, name }) => key === jsonName || key === name);
    if (field === undefined) throw unknownField(message, key, place);
    if (source === "command line" && isSecret(field)) {
      throw usage(
        `${place}: other users of this machine can read a command line. Write the JSON to standard input, and - in its place.`,
      );
    }
    checkValue(message, field, { [key]: value }, place, source);
  }
}

/** Checks the fields of a message. Parses each other value by itself, so that the error can name the field. */
function checkValue(
  message: DescMessage,
  field: DescField,
  json: JsonObject,
  place: string,
  source: Source,
): void {
  const [value = null] = Object.values(json);
  const held = field.message?.typeName.startsWith("google.protobuf.") === true ? undefined : field.message;
  if (held !== undefined && value !== null) {
    if (field.fieldKind === "message") {
      check(held, value, place, source);
      return;
    }
    if (field.fieldKind === "list" && Array.isArray(value)) {
      for (const [index, one] of value.entries()) check(held, one, `${place}[${index}]`, source);
      return;
    }
  }
  try {
    fromJson(message, json, { registry: schema() });
  } catch {
    throw usage(`${place}: expected ${expected(field)}, not ${JSON.stringify(value)}.`);
  }
}

function expected(field: DescField): string {
  if (field.enum !== undefined) {
    const names = field.enum.values.map(({ name }) => name).join(", ");
    return field.fieldKind === "enum" ? `one of ${names}` : `a ${typeWords(field)} (${names})`;
  }
  switch (field.message?.typeName) {
    case "google.protobuf.Duration":
      return 'a time span such as "1.5s"';
    case "google.protobuf.Timestamp":
      return 'a time such as "2026-11-23T04:17:12Z"';
    default:
      return `a ${typeWords(field)}`;
  }
}

function unknownField(message: DescMessage, key: string, place: string): Error {
  const near = closest(
    key,
    message.fields.map(({ jsonName }) => jsonName),
  );
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return usage(`${place}: ${message.typeName} has no such field.${meant}`);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(
    /^cannot decode .* from JSON: /,
    "",
  );
}
