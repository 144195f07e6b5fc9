// The screen: printed lines are above the line being edited, complete and in order, and that line stays intact.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { EditBuffer } from "../../../client/cli/terminal/editor/edit-buffer.ts";
import { line, Styled, styled } from "../../../client/cli/terminal/text/style.ts";
import { columnsOf } from "../../../client/cli/terminal/text/width.ts";
import { VirtualTerminal } from "./virtual-terminal.ts";

describe("printing while the user types", () => {
  test("puts lines above the line being edited, which keeps its text and cursor", async () => {
    const terminal = new VirtualTerminal();
    using screen = terminal.open();
    screen.prompt = "yoda> ";
    await terminal.type("do or do not");
    await terminal.type("\x1b[D\x1b[D");
    screen.print(["luke: I will try", "luke: really"]);
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["luke: I will try", "luke: really", "yoda> do or do not"]);
    expect(terminal.cursor).toEqual({ row: 2, column: 16 });
    await terminal.type("X");
    await terminal.settled(screen);
    expect(terminal.seen.at(-1)).toBe("yoda> do or do nXot");
  });

  test("keeps what was on the terminal before", async () => {
    const terminal = new VirtualTerminal();
    await terminal.shell("$ npx parley\r\n");
    using screen = terminal.open();
    screen.print("hello");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["$ npx parley", "hello", ">"]);
  });

  test("writes everything printed in one tick in one synchronized update", async () => {
    const terminal = new VirtualTerminal(40, 10);
    using screen = terminal.open();
    await terminal.settled(screen);
    const before = terminal.display.frames;
    terminal.display.written = "";
    for (let index = 0; index < 50; index += 1) screen.print(`line ${index}`);
    screen.prompt = "luke> ";
    await terminal.settled(screen);
    expect(terminal.display.frames).toBe(before + 1);
    expect(terminal.display.written.startsWith("\x1b[?2026h")).toBe(true);
    expect(terminal.display.written.endsWith("\x1b[?2026l")).toBe(true);
    expect(terminal.transcript).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `line ${index}`),
      "luke>",
    ]);
  });

  test("takes a paste without brackets in one edit and one frame for each piece that arrives", async () => {
    const terminal = new VirtualTerminal();
    using screen = terminal.open();
    await terminal.settled(screen);
    const insert = vi.spyOn(EditBuffer.prototype, "insert");
    const before = terminal.display.frames;
    const text = "é quick brown fox ".repeat(1_700);
    for (let at = 0; at < text.length; at += 3_000) await terminal.type(text.slice(at, at + 3_000));
    await terminal.settled(screen);
    expect(screen.text).toBe(text);
    const pieces = Math.ceil(text.length / 3_000);
    expect(insert.mock.calls.length).toBeLessThanOrEqual(pieces);
    expect(terminal.display.frames - before).toBeLessThanOrEqual(pieces + 1);
    insert.mockRestore();
  });

  test("gives a line exactly as wide as the terminal one row", async () => {
    const terminal = new VirtualTerminal(20, 12);
    using screen = terminal.open();
    screen.print(["a".repeat(19), "b".repeat(20), "c".repeat(21), "d".repeat(40), "e"]);
    await terminal.settled(screen);
    expect(terminal.seen).toEqual([
      "a".repeat(19),
      "b".repeat(20),
      "c".repeat(20),
      "c",
      "d".repeat(20),
      "d".repeat(20),
      "e",
      ">",
    ]);
  });

  test("puts the second column of a table below the first one where both do not fit", async () => {
    const terminal = new VirtualTerminal(40, 10);
    using screen = terminal.open();
    screen.print("  /broadcast TEXT         send a message to everyone who is online", { hang: 26 });
    await terminal.settled(screen);
    expect(terminal.seen).toEqual([
      "  /broadcast TEXT",
      "      send a message to everyone who is",
      "      online",
      ">",
    ]);
  });

  test("wraps long lines by words, with a hanging indent", async () => {
    const terminal = new VirtualTerminal(20, 12);
    using screen = terminal.open();
    screen.print(line`${styled("yoda", { bold: true })}: much to learn you still have`, { hang: 6 });
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["yoda: much to learn", "      you still have", ">"]);
  });

  test("shows escapes in texts instead of executing them", async () => {
    const terminal = new VirtualTerminal();
    using screen = terminal.open();
    screen.print("evil\x1b[2J\x1b]0;owned\x07 text\r\x9b31m");
    await terminal.settled(screen);
    expect(terminal.seen[0]).toBe("evil␛[2J␛]0;owned␇ text␍‹U+009B›31m");
  });
});

describe("the edit area", () => {
  test("wraps with the prompt's indent; at the margin the cursor is on the next row", async () => {
    const terminal = new VirtualTerminal(20, 10);
    using screen = terminal.open();
    screen.prompt = "yoda> ";
    await terminal.type("x".repeat(14));
    await terminal.settled(screen);
    expect(terminal.seen).toEqual([`yoda> ${"x".repeat(14)}`]);
    expect(terminal.cursor).toEqual({ row: 1, column: 6 });
    await terminal.type("yz");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual([`yoda> ${"x".repeat(14)}`, "      yz"]);
  });

  test("with a newline at the margin, the cursor is on the next row as well", async () => {
    const terminal = new VirtualTerminal(20, 10);
    using screen = terminal.open();
    await terminal.type(`${"x".repeat(18)}\x1b\rz\x1b[D\x1b[D`);
    screen.print("above");
    await terminal.settled(screen);
    expect(terminal.cursor).toEqual({ row: 2, column: 2 });
    await terminal.type("y");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["above", `> ${"x".repeat(18)}`, "  y", "  z"]);
  });

  test("a wide character that does not fit at the margin goes to the next row", async () => {
    const terminal = new VirtualTerminal(11, 10);
    using screen = terminal.open();
    await terminal.type("你好你好你");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["> 你好你好", "  你"]);
    expect(terminal.cursor).toEqual({ row: 1, column: 4 });
  });

  test("a character that the terminal shows wider than measured does not move the area", async () => {
    const terminal = new VirtualTerminal(20, 10);
    using screen = terminal.open();
    // One grapheme of two columns in width.ts; the emulator, without grapheme clusters, shows more columns.
    await terminal.type(`${"👩‍👩‍👧‍👦".repeat(8)}\x1b[D`);
    screen.print("above");
    await terminal.settled(screen);
    for (let index = 0; index < 5; index += 1) {
      screen.print(`more ${index}`);
      await terminal.settled(screen);
    }
    await terminal.type("\x03");
    await terminal.settled(screen);
    expect(terminal.transcript).toEqual(["above", "more 0", "more 1", "more 2", "more 3", "more 4", ">"]);
  });

  test("a text with newlines shows its rows; a taller one than the screen shows the part with the cursor", async () => {
    const terminal = new VirtualTerminal(20, 5);
    using screen = terminal.open();
    screen.print("said before");
    await terminal.type("\x1b[200~1\n2\n3\n4\n5\n6\n7\x1b[201~");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["said before", "> … 4 lines above", "  5", "  6", "  7"]);
    await terminal.type("\x1b[A".repeat(4));
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["said before", "> … 2 lines above", "  3", "  4", "  5"]);
    expect(terminal.cursor).toEqual({ row: 2, column: 3 });
    await terminal.type("\x1b[A");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["said before", "> 1", "  2", "  3", "  4"]);
    expect(terminal.cursor).toEqual({ row: 2, column: 3 });
    screen.print("said meanwhile");
    await terminal.type("\r");
    await terminal.settled(screen);
    expect(terminal.transcript).toEqual(["said before", "said meanwhile", ">"]);
  });

  test("a line that is too tall is folded, with the number of further rows", async () => {
    const terminal = new VirtualTerminal(24, 10);
    using screen = terminal.open();
    const fold = { rows: 2, hint: "/all" };
    screen.print(Styled.multiline("yoda: 1\n2\n3\n4\n5"), { hang: 2, fold });
    screen.print(Styled.multiline("yoda: 1\n2"), { hang: 2, fold });
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["yoda: 1", "  2", "  … 3 more rows: /all", "yoda: 1", "  2", ">"]);
  });

  test("a part of the status that does not fit is left out", async () => {
    const terminal = new VirtualTerminal(46, 5);
    using screen = terminal.open();
    screen.status = ["last: delivered", "unread: leia 2 (Alt-a)", "hans is online"];
    await terminal.settled(screen);
    expect(terminal.seen).toEqual([">", "last: delivered · hans is online"]);
  });

  test("a status is shown below in one row, and can be removed", async () => {
    const terminal = new VirtualTerminal(20, 6);
    using screen = terminal.open();
    screen.status = ["connecting to a server far, far away"];
    screen.print("hello");
    await terminal.type("abc");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["hello", "> abc", "connecting to a ser…"]);
    expect(terminal.cursor).toEqual({ row: 1, column: 5 });
    screen.status = [];
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["hello", "> abc"]);
  });

  test("Ctrl-L clears the screen and keeps its lines in the scrollback", async () => {
    const terminal = new VirtualTerminal(20, 5);
    using screen = terminal.open();
    screen.print(["one", "two"]);
    await terminal.type("typing\x0c");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["> typing"]);
    expect(terminal.cursor).toEqual({ row: 0, column: 8 });
    expect(terminal.transcript.filter((text) => text !== "")).toEqual(["one", "two", "> typing"]);
  });

  test("a second Tab lists the candidates above", async () => {
    const terminal = new VirtualTerminal(40, 8);
    using screen = terminal.open({ complete: () => ({ from: 0, candidates: ["/open", "/over"] }) });
    await terminal.type("/\t\t");
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["/open  /over", "> /o"]);
  });
});

describe("resizing", () => {
  for (const reflow of [true, false]) {
    test(`narrower and wider, the printed lines stay as they were (cursor's row reflowed: ${reflow})`, async () => {
      const terminal = new VirtualTerminal(40, 12, { reflow });
      using screen = terminal.open();
      screen.prompt = "yoda> ";
      const said = [
        "luke: a line that will have to be wrapped",
        "han: short",
        "leia: help me, you are my only hope",
      ];
      screen.print(said);
      screen.status = ["connected"];
      await terminal.type("what is being typed is long enough to wrap as well\x1b[D\x1b[D");
      await terminal.settled(screen);
      for (const columns of [30, 17, 25, 80, 40]) {
        terminal.resize(columns, 12);
        await terminal.settled(screen);
        expect(terminal.transcript.slice(0, 3)).toEqual(said);
      }
      expect(terminal.transcript.slice(3)).toEqual([
        "yoda> what is being typed is long enough",
        "       to wrap as well",
        "connected",
      ]);
    });
  }

  test("a terminal that truncates rows instead of wrapping them loses no line", async () => {
    const terminal = new VirtualTerminal(40, 8, { env: { TERM: "linux" } });
    using screen = terminal.open();
    screen.print(["one", "two"]);
    // Short enough not to be wrapped by the emulator.
    await terminal.type("short");
    await terminal.settled(screen);
    terminal.resize(12, 8);
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["one", "two", "> short"]);
  });

  test("a lower window: the edit area fits the rows that are left", async () => {
    const terminal = new VirtualTerminal(20, 10);
    using screen = terminal.open();
    screen.print(["one", "two", "three"]);
    await terminal.type("\x1b[200~a\nb\nc\nd\x1b[201~");
    await terminal.settled(screen);
    terminal.resize(20, 5);
    await terminal.settled(screen);
    expect(terminal.seen.slice(-4)).toEqual(["> a", "  b", "  c", "  d"]);
    expect(terminal.transcript.slice(0, 3)).toEqual(["one", "two", "three"]);
  });
});

const said = fc
  .array(fc.constantFrom(..."abcdefg hi 你好", "é", "x".repeat(9)), { maxLength: 60 })
  .map((parts) => `said ${parts.join("")}.`);
const typed = fc
  .array(fc.constantFrom("a", "b ", "你", "ö", "long word "), { maxLength: 12 })
  .map((parts) => parts.join(""));
const step = fc.oneof(
  fc.record({ kind: fc.constant("print" as const), lines: fc.array(said, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("type" as const), text: typed }),
  fc.record({
    kind: fc.constant("key" as const),
    bytes: fc.constantFrom(
      "\x1b[D",
      "\x1b[C",
      "\x01",
      "\x05",
      "\x7f",
      "\x1b\r",
      "\x1b[A",
      "\x15",
      "\x19",
      "\x1b[200~p\nq\x1b[201~",
    ),
  }),
  fc.record({ kind: fc.constant("status" as const), text: fc.constantFrom("", "connected", "s".repeat(50)) }),
);

test("for any keys and lines, the transcript has the printed lines, and the editor's text is below them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 10, max: 30 }),
      fc.integer({ min: 3, max: 9 }),
      fc.array(step, { maxLength: 25 }),
      async (columns, rows, steps) => {
        const terminal = new VirtualTerminal(columns, rows);
        using screen = terminal.open();
        screen.prompt = "me> ";
        const printed: string[] = [];
        for (const one of steps) {
          if (one.kind === "print") {
            printed.push(...one.lines);
            screen.print(one.lines);
          } else if (one.kind === "status") screen.status = [one.text];
          else await terminal.type(one.kind === "type" ? one.text : one.bytes);
          await terminal.settled(screen);
          expect(terminal.cursor.row).toBeLessThan(rows);
          expect(terminal.cursor.column).toBeLessThan(columns);
          expect(terminal.transcript.slice(0, printed.length)).toEqual(printed);
        }
        screen.status = [];
        await terminal.type("\x05\x15");
        // Clears the text line by line.
        for (let index = 0; index < 60; index += 1) await terminal.type("\x03\x1b[D");
        await terminal.settled(screen);
        expect(terminal.transcript).toEqual([...printed, "me>"]);
        expect(columnsOf("me> ")).toBe(terminal.cursor.column);
      },
    ),
    { numRuns: 150 },
  );
});

test("for any change of the width, each printed line stays once and in order", async () => {
  const size = fc.record({ kind: fc.constant("resize" as const), columns: fc.integer({ min: 12, max: 60 }) });
  const print = fc.record({ kind: fc.constant("print" as const), lines: fc.array(said, { maxLength: 3 }) });
  const type = fc.record({
    kind: fc.constant("type" as const),
    text: fc.constantFrom("word ", "x", "long long text ", "\x15"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(size, print, type), { maxLength: 20 }),
      fc.boolean(),
      async (steps, reflow) => {
        const terminal = new VirtualTerminal(40, 40, { reflow });
        using screen = terminal.open();
        const printed: string[] = [];
        for (const one of steps) {
          if (one.kind === "print") {
            printed.push(...one.lines);
            screen.print(one.lines);
          } else if (one.kind === "type") await terminal.type(one.text);
          else terminal.resize(one.columns, 40);
          await terminal.settled(screen);
          expect(terminal.transcript.slice(0, printed.length)).toEqual(printed);
        }
        await terminal.type("\x15");
        await terminal.settled(screen);
        expect(terminal.transcript).toEqual([...printed, ">"]);
      },
    ),
    { numRuns: 150 },
  );
});
