// Decoding keys: the sequences of several terminals, split anywhere, with pastes and invalid input.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Key, KeyDecoder, PASTE_LIMIT } from "../../../client/cli/terminal/input/keys.ts";

function decode(...chunks: (string | Uint8Array)[]): Key[] {
  const decoder = new KeyDecoder();
  const keys = chunks.flatMap((chunk) =>
    decoder.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk),
  );
  return [...keys, ...decoder.flush()];
}

function names(bytes: string): string[] {
  return decode(bytes).map((key) =>
    key.kind === "key" ? key.name : key.kind === "text" ? `text ${key.text}` : key.kind,
  );
}

test.each([
  ["\r", "enter"],
  ["\n", "enter"],
  ["\t", "tab"],
  ["\x7f", "backspace"],
  ["\b", "backspace"],
  ["\0", "ctrl-space"],
  ["\x01", "ctrl-a"],
  ["\x1a", "ctrl-z"],
  ["\x1f", "ctrl-_"],
  ["\x1b", "escape"],
  ["\x1b[A", "up"],
  ["\x1bOA", "up"],
  ["\x1b[1;5D", "ctrl-left"],
  ["\x1b[1;3C", "alt-right"],
  ["\x1b[1;6A", "ctrl-shift-up"],
  ["\x1b\x1b[A", "alt-up"],
  ["\x1b[H", "home"],
  ["\x1b[1~", "home"],
  ["\x1bOF", "end"],
  ["\x1b[3~", "delete"],
  ["\x1b[3;5~", "ctrl-delete"],
  ["\x1b[5~", "pageup"],
  ["\x1b[Z", "shift-tab"],
  ["\x1bOP", "f1"],
  ["\x1b[[A", "f1"],
  ["\x1b[15~", "f5"],
  ["\x1ba", "alt-a"],
  ["\x1bA", "alt-A"],
  ["\x1bé", "alt-é"],
  ["\x1b\r", "alt-enter"],
  ["\x1b\x7f", "alt-backspace"],
  ["\x1b\x02", "ctrl-alt-b"],
  ["\x1b[", "alt-["],
  ["\x1bO", "alt-O"],
  ["\x1b[27;5;97~", "ctrl-a"],
  ["\x1b[27;3;13~", "alt-enter"],
  ["\x1b[13;2u", "shift-enter"],
  ["\x1b[97;5u", "ctrl-a"],
  ["\x1b[97u", "text a"],
  ["\x1b[97;2u", "text A"],
  ["\x1b[57441u", "unknown"],
  ["\x1b[I", "focus"],
  ["\x1b[O", "focus"],
  ["\x1b[?1;2c", "unknown"],
  ["\x1b[99X", "unknown"],
  ["\x1b[12", "unknown"],
  ["你", "text 你"],
])("%j is %s", (bytes, name) => {
  expect(names(bytes)).toEqual([name]);
});

test("a key release, and the end of a paste without a start, are not keys", () => {
  expect(names("\x1b[97;1:3ua\x1b[201~b")).toEqual(["text a", "text b"]);
});

test("a character that breaks off a sequence is read as a key", () => {
  expect(names("\x1b[1\x1b[B")).toEqual(["unknown", "down"]);
  expect(names("\x1b[1;\ra")).toEqual(["unknown", "enter", "text a"]);
  expect(names("\x1b\x1bx")).toEqual(["escape", "alt-x"]);
});

test("a sequence without an end is given up after a bounded length", () => {
  const decoder = new KeyDecoder();
  const keys = decoder.push(Buffer.from(`\x1b[${"1".repeat(10_000)}`));
  expect(keys.length).toBeGreaterThan(100);
  expect(decoder.waiting).toBe("nothing");
});

test("invalid UTF-8 becomes U+FFFD and does not affect what follows", () => {
  expect(decode(Uint8Array.of(0xff, 0x61, 0xe4, 0xbd, 0x62))).toEqual([
    { kind: "text", text: "\ufffd" },
    { kind: "text", text: "a" },
    { kind: "text", text: "\ufffd" },
    { kind: "text", text: "b" },
  ]);
});

describe("bracketed paste", () => {
  test("is one event, whatever it contains", () => {
    expect(decode("a\x1b[200~one\r\x1b[A two\x03\x1b[201~b")).toEqual([
      { kind: "text", text: "a" },
      { kind: "paste", text: "one\r\x1b[A two\x03", cut: false },
      { kind: "text", text: "b" },
    ]);
  });

  test("is cut at its limit, between characters, and the rest is dropped", () => {
    const [paste, after] = decode(`\x1b[200~a${"😀".repeat(PASTE_LIMIT / 2)}more`, "\x1b[20", "1~z");
    expect(paste).toEqual({ kind: "paste", text: `a${"😀".repeat(PASTE_LIMIT / 2 - 1)}`, cut: true });
    expect(after).toEqual({ kind: "text", text: "z" });
  });

  test("whose end is lost can be ended by flush", () => {
    const decoder = new KeyDecoder();
    expect(decoder.push(Buffer.from("\x1b[200~half\x1b[20"))).toEqual([]);
    expect(decoder.waiting).toBe("paste");
    expect(decoder.flush()).toEqual([{ kind: "paste", text: "half\x1b[20", cut: false }]);
    expect(decoder.push(Buffer.from("a"))).toEqual([{ kind: "text", text: "a" }]);
  });
});

const stream = fc
  .array(
    fc
      .oneof(
        fc.constantFrom(
          "\x1b",
          "\x1b[",
          "\x1bO",
          "\x1b[A",
          "\x1b[1;5C",
          "\x1b\x1b",
          "\x1b[200~",
          "\x1b[201~",
          "\x1b[I",
          "\r",
          "[",
          "~",
          "2",
          "😀",
          "é",
          "a",
        ),
        fc.string({ unit: "grapheme", maxLength: 3 }),
      )
      .map((text) => Buffer.from(text) as Uint8Array),
    { maxLength: 30 },
  )
  .chain((parts) => fc.tuple(fc.constant(Buffer.concat(parts)), fc.array(fc.nat(200), { maxLength: 10 })));
const noise = fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 10 }));

test("any bytes give the same keys, wherever they are split", () => {
  fc.assert(
    fc.property(fc.oneof(stream, noise), ([bytes, cuts]) => {
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
        bytes.length,
      ];
      const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
      expect(decode(...chunks)).toEqual(decode(bytes));
      expect(decode(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(decode(bytes));
    }),
    { numRuns: 5000 },
  );
});
