// Kinds of content that the server does not know are refused, and unknown fields of known kinds are kept.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { textContent, UNKNOWN_NUMBER, UNKNOWN_TEXT } from "../../conformance/client/raw.ts";
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import { checkKind } from "../../server/chat/content-kinds.ts";
import { TestServer } from "../support/server.ts";

test("the number of a kind is stored with its entry", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  await (await server.logIn("leia")).send("han", "hi");
  using database = new DatabaseSync(server.databaseFile, { readOnly: true });
  expect(database.prepare("SELECT kind FROM entries").all()).toEqual([{ kind: 1 }]);
});

test("only known kinds have a number, whatever else a content has", () => {
  expect(checkKind(Content.decode(textContent("hi", UNKNOWN_NUMBER)))).toBe(1);
  for (const bytes of [UNKNOWN_TEXT, UNKNOWN_NUMBER]) {
    expect(() => checkKind(Content.decode(bytes))).toThrow(
      expect.objectContaining({ message: expect.stringContaining("does not know this kind") }),
    );
  }
});
