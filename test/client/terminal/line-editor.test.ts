// The line editor: what each key does to the text, and that no key loses text.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type EditorAction,
  type EditorOptions,
  LineEditor,
} from "../../../client/cli/terminal/editor/line-editor.ts";
import { KeyDecoder } from "../../../client/cli/terminal/input/keys.ts";
import { graphemesOf } from "../../../client/cli/terminal/text/width.ts";

/** An editor that is fed `keys` as a terminal sends them. */
class Typist {
  readonly editor: LineEditor;
  now = 0;

  constructor(options: EditorOptions = {}) {
    this.editor = new LineEditor(options);
  }

  type(keys: string): EditorAction[] {
    const decoder = new KeyDecoder();
    return [...decoder.push(Buffer.from(keys)), ...decoder.flush()].flatMap((key) =>
      this.editor.press(key, this.now),
    );
  }

  /** The text with the cursor as "|". */
  get seen(): string {
    const { units, cursor } = this.editor;
    return `${units.slice(0, cursor).join("")}|${units.slice(cursor).join("")}`;
  }
}

function edited(keys: string, options: EditorOptions = {}): string {
  const typist = new Typist(options);
  typist.type(keys);
  return typist.seen;
}

const LEFT = "\x1b[D";
const RIGHT = "\x1b[C";
const UP = "\x1b[A";
const DOWN = "\x1b[B";
const NEWLINE = "\x1b\r";

describe("editing", () => {
  test.each([
    ["typing", "abc", "abc|"],
    ["left, then typing", `abc${LEFT}X`, "abX|c"],
    ["backspace", "abc\x7f", "ab|"],
    ["delete", `abc${LEFT}${LEFT}\x1b[3~`, "a|c"],
    ["Ctrl-D in a text", `abc${LEFT}\x04`, "ab|"],
    ["Ctrl-A and Ctrl-E", "abc\x01X\x05Y", "XabcY|"],
    ["Home and End", "abc\x1b[HX\x1b[FY", "XabcY|"],
    ["Ctrl-B and Ctrl-F", "abc\x02\x02\x06X", "abX|c"],
    ["Alt-b and Alt-f", "one two three\x1bb\x1bb\x1bfX", "one twoX| three"],
    ["Ctrl-Left and Ctrl-Right", "one two\x1b[1;5D\x1b[1;5DX\x1b[1;5C", "Xone| two"],
    ["Ctrl-W takes a word up to the space", "say x,y-z\x17", "say |"],
    ["Alt-Backspace takes a word of letters", "say x,y-z\x1b\x7f", "say x,y-|"],
    ["Alt-d", "one two\x01\x1bd", "| two"],
    ["Ctrl-K and Ctrl-Y", "one two\x01\x1bf\x0b!\x19", "one! two|"],
    ["Ctrl-U", "one two\x1bb\x15", "|two"],
    ["kills in a row are one", "a b c\x17\x17\x19", "a b c|"],
    ["kills that are not in a row are not", "a b c\x17x\x17\x19\x19", "a b xx|"],
    ["Ctrl-T swaps", "teh\x14", "the|"],
    ["Ctrl-T at the start does nothing", "ab\x01\x14", "|ab"],
    ["Alt-Enter is a new line", `one${NEWLINE}two`, "one\ntwo|"],
    ["Shift-Enter too, where the terminal tells", "one\x1b[13;2utwo", "one\ntwo|"],
    ["Home stays in its line", `one${NEWLINE}two\x01X`, "one\nX|two"],
    ["Ctrl-K at the end of a line joins it with the next", `one${NEWLINE}two${UP}\x05\x0b`, "one|two"],
    [
      "up and down keep the column",
      `long line${NEWLINE}x${NEWLINE}long line${LEFT}${LEFT}${UP}${UP}X`,
      "long liX|ne\nx\nlong line",
    ],
    ["undo takes a stretch of typing back", "one\x17two\x1f", "|"],
    ["undo twice", "one\x17two\x1f\x1f", "one|"],
    ["Ctrl-C clears, undo brings it back", "oh no\x03\x1f", "oh no|"],
  ])("%s", (_, keys, seen) => {
    expect(edited(keys)).toBe(seen);
  });

  test("a grapheme is deleted and passed as one character", () => {
    expect(edited("a👩‍👩‍👧\x7f")).toBe("a|");
    expect(edited(`e\u0301x${LEFT}${LEFT}`)).toBe("|e\u0301x");
    expect(edited(`🇩🇪🇫🇷${LEFT}X`)).toBe("🇩🇪X|🇫🇷");
    expect(edited("你好\x7f")).toBe("你|");
  });

  test("an accent typed after a letter joins it, wherever the cursor is", () => {
    const typist = new Typist();
    typist.type(`xe y${LEFT}${LEFT}\u0301`);
    expect(typist.editor.units).toEqual(["x", "e\u0301", " ", "y"]);
    expect(typist.editor.cursor).toBe(2);
  });
});

describe("paste", () => {
  test("keeps its newlines, is one edit, and waits for Enter", () => {
    const typist = new Typist();
    expect(typist.type("> \x1b[200~one\r\ntwo\rthree\n\x1b[201~")).toEqual([]);
    expect(typist.seen).toBe("> one\ntwo\nthree|");
    expect(typist.type("\r")).toEqual([{ kind: "submit", text: "> one\ntwo\nthree" }]);
    expect(edited("a\x1b[200~b\nc\x1b[201~\x1f")).toBe("a|");
  });

  test("drops control characters except tabs", () => {
    expect(edited("\x1b[200~a\x1b[31mb\tc\x00\x07\x9b\x1b[201~")).toBe("a[31mb\tc|");
  });

  test("that was cut is reported", () => {
    const editor = new LineEditor();
    expect(editor.press({ kind: "paste", text: "x", cut: true }, 0)).toEqual([{ kind: "paste-cut" }]);
  });
});

describe("actions", () => {
  test.each([
    ["Enter", "hi\r", [{ kind: "submit", text: "hi" }]],
    ["Enter on nothing", "\r", [{ kind: "submit", text: "" }]],
    ["Ctrl-D on nothing", "\x04", [{ kind: "leave" }]],
    ["Ctrl-Z", "a\x1a", [{ kind: "suspend" }]],
    ["Ctrl-L", "\x0c", [{ kind: "redraw" }]],
    ["Alt-a", "\x1ba", [{ kind: "next-unread" }]],
    [
      "focus",
      "\x1b[O\x1b[I",
      [
        { kind: "focus", focused: false },
        { kind: "focus", focused: true },
      ],
    ],
    ["a key of no meaning here", "\x1b[15~", [{ kind: "key", name: "f5" }]],
  ])("%s", (_, keys, actions) => {
    expect(new Typist().type(keys)).toEqual(actions);
  });

  test("a second Ctrl-C on an empty line leaves, within the time", () => {
    const typist = new Typist({ leaveWithinMs: 1000 });
    expect(typist.type("text\x03")).toEqual([]);
    expect(typist.type("\x03")).toEqual([{ kind: "leave-armed" }]);
    typist.now = 1001;
    expect(typist.type("\x03")).toEqual([{ kind: "leave-armed" }]);
    typist.now = 2001;
    expect(typist.type("\x03")).toEqual([{ kind: "leave" }]);
  });

  test("any other key between the two cancels it", () => {
    const typist = new Typist();
    expect(typist.type(`\x03${LEFT}\x03`)).toEqual([{ kind: "leave-armed" }, { kind: "leave-armed" }]);
  });

  test("a change of focus between the two does not cancel it", () => {
    const typist = new Typist();
    expect(typist.type("\x03\x1b[O\x03").map((action) => action.kind)).toEqual([
      "leave-armed",
      "focus",
      "leave",
    ]);
  });
});

describe("history", () => {
  const history = ["/open yoda", "hello", "two\nlines"];

  test("up and down move through it, and the draft is below the newest line", () => {
    const typist = new Typist({ history });
    typist.type(`draft\x01${UP}`);
    expect(typist.seen).toBe("two\nlines|");
    typist.type(`${UP}${UP}`);
    expect(typist.seen).toBe("hello|");
    typist.type(DOWN);
    expect(typist.seen).toBe("two\nlines|");
    typist.type(DOWN);
    expect(typist.seen).toBe("draft|");
  });

  test("at both ends nothing changes, and the action says so", () => {
    const typist = new Typist({ history: ["one"] });
    expect(typist.type(DOWN)).toEqual([{ kind: "no-effect" }]);
    expect(typist.type(`${UP}${UP}`)).toEqual([{ kind: "no-effect" }]);
    expect(typist.seen).toBe("one|");
  });

  test("with a beginning typed, only lines that begin with it are shown", () => {
    const typist = new Typist({ history });
    typist.type(`/o${UP}`);
    expect(typist.seen).toBe("/open yoda|");
    typist.type(DOWN);
    expect(typist.seen).toBe("/o|");
  });

  test("an entered line is the newest, and is added once", () => {
    const typist = new Typist({ history });
    typist.type(`new\rnew\r   \r${UP}`);
    expect(typist.seen).toBe("new|");
    typist.type(`${UP}`);
    expect(typist.seen).toBe("two\nlines|");
  });

  test("up stops at the first row of a draft, and leaves it when pressed again", () => {
    const typist = new Typist({ history: ["old"] });
    typist.type(`\x1b[200~\nmy draft\x1b[201~${UP}`);
    expect(typist.seen).toBe("|\nmy draft");
    expect(typist.type(UP)).toEqual([{ kind: "no-effect" }]);
    expect(typist.seen).toBe("|\nmy draft");
    typist.type(`${DOWN}${UP}${UP}`);
    expect(typist.seen).toBe("|\nmy draft");
    typist.type(UP);
    expect(typist.seen).toBe("old|");
    typist.type(DOWN);
    expect(typist.seen).toBe("\nmy draft|");
  });

  test("a newline at the end of a paste is dropped", () => {
    expect(edited("\x1b[200~one\r\ntwo\r\n\x1b[201~!")).toBe("one\ntwo!|");
    expect(edited("\x1b[200~one\n\n\x1b[201~")).toBe("one\n|");
  });

  test("up does not change a line that no earlier line begins with", () => {
    const typist = new Typist({ history: ["old"] });
    expect(typist.type(`my draft${UP}`)).toEqual([{ kind: "no-effect" }]);
    expect(typist.seen).toBe("my draft|");
  });

  test("a line of the history that is changed becomes the draft", () => {
    const typist = new Typist({ history });
    typist.type(`${UP}!${UP}${UP}${UP}`);
    expect(typist.seen).toBe("two\nlines|");
    typist.type(`${DOWN}`);
    expect(typist.seen).toBe("two\nlines!|");
  });

  test("control characters in stored lines are dropped", () => {
    expect(edited(UP, { history: ["a\x1b[31m\r\nb"] })).toBe("a[31m\nb|");
  });
});

describe("completion", () => {
  const names = ["luke", "lukas", "leia", "李小龍"];
  const complete = (before: string) => {
    const from = before.lastIndexOf(" ") + 1;
    return { from, candidates: names.filter((name) => name.startsWith(before.slice(from))) };
  };

  test("a single candidate is inserted with a space", () => {
    expect(edited("/open le\t", { complete })).toBe("/open leia |");
    expect(edited("/open 李\t", { complete })).toBe("/open 李小龍 |");
  });

  test("in the middle of a line, an existing space is used", () => {
    expect(edited(`le hi${LEFT.repeat(3)}\t`, { complete })).toBe("leia |hi");
  });

  test("several candidates complete their common beginning, and a second Tab lists them", () => {
    const typist = new Typist({ complete });
    expect(typist.type("lu\t")).toEqual([]);
    expect(typist.seen).toBe("luk|");
    expect(typist.type("\t")).toEqual([{ kind: "candidates", candidates: ["luke", "lukas"] }]);
    expect(typist.type("\t")).toEqual([{ kind: "candidates", candidates: ["luke", "lukas"] }]);
    expect(typist.type("e\t")).toEqual([]);
    expect(typist.seen).toBe("luke |");
  });

  test("a Tab after another key does not list them", () => {
    expect(new Typist({ complete }).type(`l\t${LEFT}${RIGHT}\t`)).toEqual([
      { kind: "no-effect" },
      { kind: "no-effect" },
    ]);
  });

  test("without candidates, or without a completer, nothing changes", () => {
    expect(new Typist({ complete }).type("x\t")).toEqual([{ kind: "no-effect" }]);
    expect(new Typist().type("x\t")).toEqual([{ kind: "no-effect" }]);
  });

  test("candidates that do not begin with the typed text remove nothing", () => {
    const shouting = () => ({ from: 0, candidates: ["LUKE", "LUKAS"] });
    expect(edited("luke\t", { complete: shouting })).toBe("luke|");
  });
});

const unit = fc.constantFrom(
  "a",
  " ",
  "é",
  "e\u0301",
  "\u0301",
  "你",
  "👩",
  "\u200d",
  "👧",
  "\u{1f3fd}",
  "🇩",
  "🇪",
  "ᄀ",
  "ᅡ",
  "\n",
  "x",
);
const motion = fc.constantFrom(LEFT, RIGHT, UP, DOWN, "\x01", "\x05", "\x1bb", "\x1bf", "\x1b<", "\x1b>");
const kill = fc.constantFrom("\x0b", "\x15", "\x17", "\x1bd", "\x1b\x7f");

describe("any keys", () => {
  const insert = fc
    .array(unit, { minLength: 1, maxLength: 4 })
    .map((units) => ({ kind: "insert" as const, text: units.join("") }));
  const step = fc.oneof(
    insert,
    motion.map((keys) => ({ kind: "keys" as const, keys })),
  );

  test("moving and inserting keep every inserted character", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const typist = new Typist();
        let expected = "";
        for (const one of steps) {
          if (one.kind === "keys") typist.type(one.keys);
          else {
            const { units, cursor } = typist.editor;
            expected =
              units.slice(0, cursor).join("") + one.text.replace(/\n$/, "") + units.slice(cursor).join("");
            typist.editor.press({ kind: "paste", text: one.text, cut: false }, 0);
            expect(typist.editor.text).toBe(expected);
          }
          expect(typist.editor.units).toEqual(graphemesOf(typist.editor.text));
          expect(typist.editor.cursor).toBeLessThanOrEqual(typist.editor.units.length);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("undo restores a killed text, and yank inserts it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), kill, (steps, keys) => {
        const typist = new Typist();
        for (const one of steps) {
          if (one.kind === "keys") typist.type(one.keys);
          else typist.editor.press({ kind: "paste", text: one.text, cut: false }, 0);
        }
        const before = typist.seen;
        const { text } = typist.editor;
        typist.type(keys);
        if (typist.editor.text === text) return;
        typist.type("\x19");
        // Compared without order, because halves of a flag or an accent may join after the kill.
        expect(Array.from(typist.editor.text).toSorted()).toEqual(Array.from(text).toSorted());
        typist.type("\x1f\x1f");
        expect(typist.seen).toBe(before);
      }),
      { numRuns: 1000 },
    );
  });
});

test("a paste of a megabyte is edited quickly", () => {
  const editor = new LineEditor();
  const began = performance.now();
  editor.press({ kind: "paste", text: "some words ".repeat(90_000), cut: false }, 0);
  for (let index = 0; index < 20; index += 1) editor.press({ kind: "text", text: "x" }, 0);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(editor.units).toHaveLength(990_020);
});
