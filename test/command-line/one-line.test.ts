// Foreign text on a terminal or in a log: no character that a terminal interprets, and no further line.
import { expect, test } from "vitest";
import { oneLine, safeLines } from "../../command-line/one-line.ts";

test.each([
  ["an escape sequence", "\u{1b}[2Jgone", "\\u{1b}[2Jgone"],
  ["a carriage return", "12\r34", "12\\u{d}34"],
  ["a control character of C1", "a\u{9b}31m", "a\\u{9b}31m"],
  ["a mark that reorders text", "abc\u{202e}fed", "abc\\u{202e}fed"],
  ["a line separator", "a\u{2028}b", "a\\u{2028}b"],
  ["half of a surrogate pair", "a\ud800b", "a\\u{d800}b"],
  ["ordinary text", "Zoë 说 👋", "Zoë 说 👋"],
])("%s", (_what, text, safe) => {
  expect(oneLine(text)).toBe(safe);
  expect(safeLines(text)).toBe(safe);
});

test("newlines and tabs stay in output of several lines only", () => {
  expect(safeLines("a\tb\nc")).toBe("a\tb\nc");
  expect(oneLine("a\tb\nc")).toBe("a\\u{9}b\\u{a}c");
});
