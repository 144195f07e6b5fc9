// Cutting text into rows: rows fit, graphemes stay whole, and nothing is lost.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linksIn } from "../../../client/cli/terminal/text/links.ts";
import { Paint } from "../../../client/cli/terminal/text/paint.ts";
import { safeText } from "../../../client/cli/terminal/text/safe-text.ts";
import { Styled } from "../../../client/cli/terminal/text/style.ts";
import {
  columnsOf,
  cutIntoRows,
  graphemesOf,
  truncate,
  wrap,
} from "../../../client/cli/terminal/text/width.ts";

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(" ", "  ", "\n", "你好", "👩‍👩‍👧", "e\u0301", "word", "x".repeat(30)),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((all) => safeText(all.join(""), { multiline: true }));

describe("for any text", () => {
  test("its graphemes joined are the text again", () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(graphemesOf(one).join("")).toBe(one);
      }),
    );
  });

  test("no row is wider than allowed, unless it is a single grapheme", () => {
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 0, max: 20 }),
        (one, columns, indent) => {
          for (const row of wrap(one, columns, indent)) {
            if (graphemesOf(row.trimStart()).filter((unit) => columnsOf(unit) > 0).length > 1)
              expect(columnsOf(row)).toBeLessThanOrEqual(columns);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("only spaces and the newline are dropped between rows", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 40 }), (one, columns) => {
        const cuts = cutIntoRows(one, columns, 1);
        let at = 0;
        for (const cut of cuts) {
          expect(one.slice(at, cut.from)).toMatch(cut.first ? /^ *\n?$/ : /^ *$/);
          at = cut.to;
        }
        expect(one.slice(at)).toMatch(/^ *$/);
        expect(cuts.filter((cut) => cut.first)).toHaveLength(one.split("\n").length);
      }),
      { numRuns: 1000 },
    );
  });

  test("a truncated text fits, and begins like the text", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 40 }), (one, columns) => {
        const row = one.replaceAll("\n", "");
        const short = truncate(row, columns);
        expect(columnsOf(short)).toBeLessThanOrEqual(columns);
        if (short !== row) expect(row.startsWith(short.replace(/…$/, ""))).toBe(true);
      }),
    );
  });
});

test.each([
  ["words", "the quick brown fox", 10, 0, ["the quick", "brown fox"]],
  ["an indent for later rows", "the quick brown fox", 10, 2, ["the quick", "  brown", "  fox"]],
  ["a word longer than a row", "a abcdefghijkl b", 5, 0, ["a abc", "defgh", "ijkl", "b"]],
  ["Chinese anywhere, but not through a character", "你好你好", 5, 0, ["你好", "你好"]],
  ["newlines and leading spaces stay", "if:\n  go\n", 10, 0, ["if:", "  go", ""]],
  ["a space at the margin is left out", "abcde fgh", 5, 0, ["abcde", "fgh"]],
  ["an emoji of several code points is one character", "👩‍👩‍👧👩‍👩‍👧", 3, 0, ["👩‍👩‍👧", "👩‍👩‍👧"]],
  ["nothing", "", 5, 2, [""]],
])("wrap: %s", (_, one, columns, indent, rows) => {
  expect(wrap(one, columns, indent)).toEqual(rows);
});

test("an indent is at most half the row", () => {
  expect(wrap("aa bb cc", 6, 20)).toEqual(["aa bb", "   cc"]);
});

describe("a URL", () => {
  const url = `https://example.org/${"a-long-path/".repeat(8)}?q=1&r=2`;

  test("is never cut, and the words around it are wrapped as usual", () => {
    const text = `look at this page: ${url}, it is good, and there is more to say about it`;
    for (const columns of [20, 40, 80]) {
      const rows = wrap(text, columns, 6);
      expect(rows.filter((row) => row.includes(url))).toHaveLength(1);
      for (const row of rows) if (!row.includes("http")) expect(columnsOf(row)).toBeLessThanOrEqual(columns);
    }
  });

  test("that fills the row of a name begins in it", () => {
    expect(wrap(`14:03 yoda: ${url}`, 40, 6)).toEqual([`14:03 yoda: ${url}`]);
    expect(wrap(`14:03 yoda: ${url} ok`, 40, 6)).toEqual([`14:03 yoda: ${url}`, "      ok"]);
  });

  test("is found without the marks of the sentence around it", () => {
    const text = "(see http://a.b/c?d=1). No ftp://x or https:// here";
    expect(linksIn(text).map(({ from, to }) => text.slice(from, to))).toEqual(["http://a.b/c?d=1"]);
  });

  test.each(["\x1b\\", "\x07", "\u009c", "\u202e", "é"])(
    "ends before %j, which could end the link",
    (character) => {
      const text = `http://a.b/${character}c`;
      expect(linksIn(text)).toEqual([{ from: 0, to: "http://a.b/".length }]);
    },
  );

  test("is no link in a file or a pipe, also with forced colours", () => {
    const env = { TERM: "xterm-kitty", FORCE_COLOR: "2" };
    expect(Paint.for({}, env).render(Styled.of(url))).toBe(url);
  });

  test.each([
    ["is a link where the terminal has links", { TERM: "xterm-kitty" }, true],
    ["is no link in tmux", { TERM: "xterm-kitty", TMUX: "/tmp/tmux" }, false],
    ["is no link in an unknown terminal", { TERM: "xterm-256color" }, false],
    ["is no link in a dumb terminal", { TERM: "dumb", VTE_VERSION: "7600" }, false],
    ["is a link without colour", { TERM: "xterm-256color", VTE_VERSION: "7600", NO_COLOR: "1" }, true],
    ["is no link in screen", { TERM: "xterm-kitty", STY: "1.tty" }, false],
    ["is a link with forced colours", { TERM: "foot", FORCE_COLOR: "2" }, true],
    ["is no link without forced colours", { TERM: "foot", FORCE_COLOR: "0" }, false],
    ["is a link in a terminal that names its program", { TERM_PROGRAM: "WezTerm" }, true],
    ["is a link in Windows Terminal", { WT_SESSION: "1" }, true],
    ["is no link in a Konsole that is too old", { KONSOLE_VERSION: "201199" }, false],
  ])("%s", (_name, env, isLink) => {
    const painted = Paint.for({ isTTY: true, getColorDepth: () => 8 }, env).render(Styled.of(`see ${url}.`));
    expect(painted).toBe(isLink ? `see \x1b]8;;${url}\x1b\\${url}\x1b]8;;\x1b\\.` : `see ${url}.`);
  });
});
