// Comments, names of tests and documents name the actor of a sentence.
import { describe, expect, test } from "vitest";
import { listFiles, read, sourceFolders } from "./sources.ts";
import { findUnclear } from "./words.ts";

/** Sentences that may keep such a word, for example since they quote a message. */
const allowed: readonly { readonly path: string; readonly text: string }[] = [];

const files = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...listFiles(["docs", "examples"], [".md"]),
  ...listFiles(["proto"], [".proto"]),
  ...listFiles(
    sourceFolders.filter((folder) => folder !== "gen"),
    [".ts", ".js", ".sh", ".bash"],
  ),
].filter((path) => !path.startsWith("test/repo/words"));

test("no file has them", () => {
  const found = files
    .flatMap((path) => findUnclear(path, read(path)))
    .filter(({ path, text }) => !allowed.some((each) => each.path === path && text.includes(each.text)))
    .map(({ path, line, word, text }) => `${path}:${line} (${word}) ${text}`);
  expect(found).toEqual([]);
});

describe("the search finds words that hide an actor", () => {
  test.each([
    ["a comment", "a.ts", "const a = 1; // Nobody waits for it."],
    ["a doc comment", "a.ts", "/** Whoever calls it. */"],
    ["a line of a doc comment", "a.ts", " * It is sent in vain."],
    ["a name of a test", "a.test.ts", '  test("somebody is told", () => {'],
    ["a comment of a script", "a.sh", "wait # until everybody is gone"],
    ["a paragraph", "a.md", "Text that nobody reads."],
  ])("in %s", (_, path, text) => {
    expect(findUnclear(path, text)).toHaveLength(1);
  });

  test.each([
    ["a message", "a.ts", 'const text = "nobody else is online";'],
    ["a quotation in a comment", "a.ts", '// Shows "nobody else is online".'],
    ["a fence", "a.md", "Text.\n\n```text\nnobody else is online\n```\n"],
    ["code in a paragraph", "a.md", "It prints `nobody`."],
  ])("but not in %s", (_, path, text) => {
    expect(findUnclear(path, text)).toEqual([]);
  });
});
