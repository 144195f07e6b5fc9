// Texts of others made safe: they cannot control the terminal, and stay readable.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MARKS_PER_BASE, safeName, safeText } from "../../../client/cli/terminal/text/safe-text.ts";

const nasty = fc.constantFrom(
  ...[
    "\x1b[31m",
    "\x1b]8;;http://evil\x1b\\",
    "\r",
    "\n",
    "\t",
    "\0",
    "\x7f",
    "\x85",
    "\x9b",
    "\ud800",
    "\udc00",
  ],
  ...[
    "\u202e",
    "\u202a",
    "\u2066",
    "\u2068",
    "\u2069",
    "\u200e",
    "\u200f",
    "\u061c",
    "\u200b",
    "\u200c",
    "\u200d",
  ],
  ...[
    "\ufeff",
    "\u00ad",
    "\u034f",
    "\u3164",
    "\ufe0f",
    "\ufe0e",
    "\u{e0101}",
    "\u{e0001}",
    "\u{e0067}",
    "\u{e007f}",
  ],
  ...[
    "\u0301",
    "\u0489",
    "\u20e3",
    "\u094d",
    "\ue000",
    "\u{f0000}",
    "\ufffe",
    "\uffff",
    "\u{1fffe}",
    "\u2028",
  ],
  ...[
    "👩",
    "👨",
    "👧",
    "\u{1f3fd}",
    "❤",
    "🔥",
    "🏴",
    "🇩",
    "🇪",
    "1",
    "#",
    "漢",
    "क",
    "ष",
    "ب",
    "א",
    "é",
    "가",
    "ᄀ",
    "a",
    " ",
  ],
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(fc.oneof(nasty, nasty, fc.string({ unit: "grapheme", maxLength: 2 })), { maxLength: 40 })
    .map((all) => all.join("")),
);
const runs = { numRuns: 3000 };

/** A visible character, or one of those that spelling and emoji need. */
const ALLOWED =
  /^(?:[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n]|\u200c|\u200d|\u2068|\u2069|[\u{e0020}-\u{e007f}]|[\u{e0100}-\u{e01ef}])*$/u;

describe("for any text", () => {
  test("only allowed characters are left", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, multiline) => {
        const safe = safeText(text, { multiline });
        expect(safe).toMatch(ALLOWED);
        expect(safe.isWellFormed()).toBe(true);
        if (!multiline) expect(safe).not.toContain("\n");
        expect(safe).not.toMatch(
          /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066\u2067\ufeff\u00ad\u3164]/,
        );
      }),
      runs,
    );
  });

  test("making it safe again changes nothing", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const make of [
          (one: string) => safeText(one),
          (one: string) => safeText(one, { multiline: true }),
          safeName,
        ]) {
          expect(make(make(text))).toBe(make(text));
        }
      }),
      runs,
    );
  });

  test("no base has more marks than allowed", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const withoutSelectors = safeText(text).replace(/[\ufe0e\ufe0f\u{e0100}-\u{e01ef}]/gu, "");
        expect(withoutSelectors).not.toMatch(new RegExp(`\\p{M}{${MARKS_PER_BASE + 1}}`, "u"));
      }),
      runs,
    );
  });

  test("isolates are closed on the line where they are opened", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const row of safeText(text, { multiline: true }).split("\n"))
          expect(row.replace(/[^\u2068\u2069]/g, "")).toMatch(/^(\u2068\u2069)?$/);
      }),
      runs,
    );
  });

  test("a name has no invisible characters except inside an emoji", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = safeName(text).replace(/^\u2068|\u2069$/g, "");
        expect(name).not.toMatch(/\u200c|\n|\t|[\u{e0100}-\u{e01ef}]/u);
        expect(name).not.toMatch(/(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|\u{e007f})\u200d/u);
      }),
      runs,
    );
  });

  test("printable ASCII is not changed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
        expect(safeText(text)).toBe(text);
      }),
    );
  });
});

describe("the result", () => {
  test.each([
    ["an escape sequence", "\x1b[2Jgone", "␛[2Jgone"],
    ["NUL, DEL and a lone CR", "a\0b\x7fc\rd", "a␀b␡c␍d"],
    ["a C1 control that opens a sequence", "\x9b31m", "‹U+009B›31m"],
    ["an override of direction", "abc\u202ecba", "abc‹U+202E›cba"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["a private-use character and a noncharacter", "\ue000\uffff", "‹U+E000›‹U+FFFF›"],
    ["a tab", "a\tb", "a    b"],
    ["zero width in a word", "pay\u200bpal", "paypal"],
    ["hidden tags", "hi\u{e0068}\u{e0069}", "hi"],
    ["an emoji of four people", "👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"],
    [
      "a flag spelled with tags",
      "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
      "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    ],
    ["a heart and a keycap", "❤\ufe0f 1\ufe0f\u20e3", "❤\ufe0f 1\ufe0f\u20e3"],
    ["Persian with its non-joiner", "می\u200cخواهم", "\u2068می\u200cخواهم\u2069"],
    ["a mark with nothing to sit on", "\u0301a", "◌\u0301a"],
    ["a thousand marks", `a${"\u0301".repeat(1000)}b`, `a${"\u0301".repeat(4)}b`],
    ["Hebrew", "שלום", "\u2068שלום\u2069"],
  ])("%s", (_, text, seen) => {
    expect(safeText(text)).toBe(seen);
  });

  test("endlessly joined emoji are split", () => {
    const chain = safeText(Array.from({ length: 40 }, () => "👩").join("\u200d"));
    expect(chain.replaceAll("\u200d", "")).toBe("👩".repeat(40));
    expect(Math.max(...chain.split(/👩(?!\u200d)/u).map((piece) => piece.split("\u200d").length - 1))).toBe(
      5,
    );
  });

  test("newlines are kept where allowed, and are pictures otherwise", () => {
    expect(safeText("a\r\nb\nc", { multiline: true })).toBe("a\nb\nc");
    expect(safeText("a\nb")).toBe("a␊b");
    expect(safeText("a\nשלום", { multiline: true })).toBe("a\n\u2068שלום\u2069");
  });

  test("a name has no joiners and only plain spaces", () => {
    expect(safeName("ha\u200dn\u00a0so\u3000lo\n")).toBe("han so lo␊");
  });
});

test("a megabyte of one grapheme is handled quickly", () => {
  const began = performance.now();
  expect(safeText(`a${"\u0301".repeat(1_000_000)}`)).toHaveLength(5);
  safeText("👩\u200d".repeat(300_000));
  expect(performance.now() - began).toBeLessThan(5_000);
});
