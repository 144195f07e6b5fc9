// Formats services, methods and requests as text.
import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { line, Styled } from "../terminal/text/style.ts";
import { commentOf } from "./comments.ts";
import { fullName } from "./find-method.ts";

const wellKnown = "google.protobuf.";

/** A service and its methods, with the first sentence of each comment. */
export function serviceLines(service: DescService): Styled[] {
  const width = Math.max(...service.methods.map(({ name }) => name.length));
  return [
    line`${service.typeName}`,
    ...service.methods.map((method) => {
      const [sentence = ""] = commentOf(method).match(/^.*?[.](?= |$)/) ?? [commentOf(method)];
      return line`  ${method.name.padEnd(width)}  ${sentence}`;
    }),
  ];
}

/** A method, its request, and every message that the request can contain. */
export function methodLines(method: DescMethod): Styled[] {
  return [
    line`${fullName(method)} ${signature(method)}`,
    line`${commentOf(method)}`,
    ...reachable(method.input).flatMap((message) => [Styled.empty, ...messageLines(message)]),
  ];
}

/** The signature in the syntax of proto files, such as "(HelloRequest) returns (stream HelloResponse)". */
function signature({ methodKind, input, output }: DescMethod): string {
  const request = methodKind === "client_streaming" || methodKind === "bidi_streaming" ? "stream " : "";
  const response = methodKind === "server_streaming" || methodKind === "bidi_streaming" ? "stream " : "";
  return `(${request}${input.name}) returns (${response}${output.name})`;
}

function messageLines(message: DescMessage): Styled[] {
  if (message.fields.length === 0) return [line`${message.typeName} has no fields.`];
  const rows = message.fields.map((field) => [field.jsonName, typeWords(field), commentOf(field)] as const);
  const [names, types] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    line`${message.typeName}`,
    ...rows.map(
      ([name, type, comment]) => line`  ${name.padEnd(names ?? 0)}  ${type.padEnd(types ?? 0)}  ${comment}`,
    ),
    ...message.oneofs.map(
      ({ fields }) => line`  At most one of: ${fields.map((one) => one.jsonName).join(", ")}.`,
    ),
  ];
}

/** The message and then those that it contains, each once; without the well-known types, which are texts in JSON. */
function reachable(first: DescMessage): DescMessage[] {
  const found = new Set([first]);
  for (const message of found) {
    for (const { message: held } of message.fields) {
      if (held !== undefined && !held.typeName.startsWith(wellKnown)) found.add(held);
    }
  }
  return [...found];
}

/** The type of a field in the words of the schema. */
export function typeWords(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return ScalarType[field.scalar].toLowerCase();
    case "enum":
      return field.enum.name;
    case "message":
      return field.message.name;
    case "list":
      return `list of ${element(field)}`;
    case "map":
      return `map of ${element(field)}`;
  }
}

function element(field: DescField & { fieldKind: "list" | "map" }): string {
  if (field.message !== undefined) return field.message.name;
  if (field.enum !== undefined) return field.enum.name;
  return ScalarType[field.scalar].toLowerCase();
}
