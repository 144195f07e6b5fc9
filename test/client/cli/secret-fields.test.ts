// Fields with secrets: their names are those that the comments of the contract mark, and no secret is recorded or logged.
import { create, type DescField, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { describe, expect, test } from "vitest";
import { commentOf } from "../../../client/cli/calling/comments.ts";
import { readRequest } from "../../../client/cli/calling/read-request.ts";
import { schema } from "../../../client/cli/process/schema.ts";
import { isSecret } from "../../../client/cli/process/secret-fields.ts";
import { withoutSecrets } from "../../../client/cli/recording/without-secrets.ts";
import { type LogFields, openLog } from "../../../server/log.ts";

const fields = [...schema()]
  .filter((one): one is DescMessage => one.kind === "message" && one.typeName.startsWith("parley."))
  .flatMap((message) => message.fields);

const nameOf = (field: DescField): string => `${field.parent.typeName}.${field.name}`;

test("exactly the fields whose comments have a sentence with Secret: are secret", () => {
  const marked = fields.filter((field) => /(?:^|[.] )Secret: /.test(commentOf(field)));
  expect(fields.filter(isSecret).map(nameOf)).toEqual(marked.map(nameOf));
  expect(marked.length).toBeGreaterThan(6);
});

/** Names that sound like secrets, with the reason why they are none. */
const harmless: Readonly<Record<string, string>> = {
  invite_id: "names an invite, and is not enough to use it",
  page_token: "the server accepts it from its user only",
  next_page_token: "the server accepts it from its user only",
  online_next_page_token: "the server accepts it from its user only",
  identity_key: "a public key",
  key: "a public key",
};

test("a field whose name sounds like a secret is marked, or is listed as harmless", () => {
  const sounds = /password|secret|token|invite|credential|key|reset|link/;
  const unmarked = fields
    .filter(({ name, kind, message }) => kind === "field" && message === undefined && sounds.test(name))
    .filter((field) => !isSecret(field) && !(field.name in harmless));
  expect(unmarked.map(nameOf)).toEqual([]);
});

describe.each(fields.filter(isSecret).map((field) => [nameOf(field), field] as const))("%s", (_, field) => {
  const message = field.parent;

  test("is removed from recordings", () => {
    const value = create(message);
    reflect(message, value).set(field, "hush");
    const kept = withoutSecrets(message, toBinary(message, value));
    expect(reflect(message, fromBinary(message, kept)).isSet(field)).toBe(false);
  });

  test("is refused on a command line", () => {
    const json = JSON.stringify({ [field.jsonName]: "hush" });
    expect(() => readRequest(message, json, "command line")).toThrow("can read a command line");
  });

  test("is not a field of the server's log", () => {
    const written: string[] = [];
    const log = openLog({ level: "debug", forPerson: false, writeError: (text) => written.push(text) });
    log.info({ [field.jsonName]: "hush", request: { [field.jsonName]: "hush" } } as LogFields, "said");
    expect(written.join()).toContain("said");
    expect(written.join()).not.toContain("hush");
  });
});
