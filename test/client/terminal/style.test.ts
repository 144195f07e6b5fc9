// Styled text and its rendering: safe texts, measured without escapes, in the colours that terminal and user allow.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Paint, PERSON_PALETTE } from "../../../client/cli/terminal/text/paint.ts";
import { colourOf, line, Styled, styled } from "../../../client/cli/terminal/text/style.ts";

const colourful = { isTTY: true, getColorDepth: () => 8 };

describe("styled text", () => {
  test("every value in a line is made safe", () => {
    const text = line`${styled("yo\x1bda", { bold: true })}: ${"\x1b[2J"} ${3} ${5n}`;
    expect(text.plain).toBe("yo␛da: ␛[2J 3 5");
  });

  test("a value is one line, except a multiline text", () => {
    expect(line`a\n${"b\nc"} ${styled("d\r\ne", {})}`.plain).toBe("a\nb␊c d␍␊e");
    expect(line`${Styled.multiline("a\nb\u2028c\u0085d")}`.plain).toBe("a\nb‹U+2028›c‹U+0085›d");
  });

  test("is measured, cut and wrapped without escapes", () => {
    const text = line`${styled("yoda", { bold: true, colour: colourOf("yoda") })}: 你好 there`;
    expect(text.columns).toBe(16);
    expect(text.wrap(11, 6).map((row) => row.plain)).toEqual(["yoda: 你好", "     there"]);
    expect(text.truncate(8).plain).toBe("yoda: …");
    expect(new Paint("mono").render(text.slice(2, 6))).toBe("\x1b[1mda\x1b[0m: ");
  });

  test("keeps every character and its style wherever it is cut", () => {
    const spans = fc.array(fc.tuple(fc.string({ maxLength: 6 }), fc.boolean()), { maxLength: 5 });
    fc.assert(
      fc.property(spans, fc.nat(30), (pieces, at) => {
        const text = Styled.join(pieces.map(([piece, bold]) => styled(piece, { bold })));
        const back = Styled.join([text.slice(0, at), text.slice(at, text.plain.length)]);
        expect(back.plain).toBe(text.plain);
        const looks = (one: Styled) =>
          one.spans.flatMap((span) => Array.from(span.text, () => span.look.bold));
        expect(looks(back)).toEqual(looks(text));
      }),
    );
  });
});

describe("paint", () => {
  const text = styled("x", { bold: true, colour: "red" });

  test.each([
    ["a colour terminal", {}, colourful, "256"],
    ["sixteen colours", {}, { isTTY: true, getColorDepth: () => 4 }, "16"],
    ["no colours", {}, { isTTY: true, getColorDepth: () => 1 }, "mono"],
    ["NO_COLOR", { NO_COLOR: "1" }, colourful, "mono"],
    ["an empty NO_COLOR", { NO_COLOR: "" }, colourful, "256"],
    ["TERM=dumb", { TERM: "dumb" }, colourful, "none"],
    ["a pipe", {}, {}, "none"],
    ["a pipe with FORCE_COLOR", { FORCE_COLOR: "1" }, {}, "16"],
    ["FORCE_COLOR above NO_COLOR", { FORCE_COLOR: "3", NO_COLOR: "1" }, {}, "256"],
    ["FORCE_COLOR=0", { FORCE_COLOR: "0" }, colourful, "none"],
  ])("%s", (_, env, output, level) => {
    expect(Paint.for(output, env).level).toBe(level);
  });

  test("the stream is asked about the environment that was passed in", () => {
    const asked: unknown[] = [];
    Paint.for({ isTTY: true, getColorDepth: (env) => asked.push(env) }, { TERM: "xterm" });
    expect(asked).toEqual([{ TERM: "xterm" }]);
  });

  test("renders no escapes, attributes without colour, or both", () => {
    expect(new Paint("none").render(text)).toBe("x");
    expect(new Paint("mono").render(text)).toBe("\x1b[1mx\x1b[0m");
    expect(new Paint("16").render(text)).toBe("\x1b[1;31mx\x1b[0m");
  });

  test("the colour of a user depends on the name only, and names use the whole palette", () => {
    const paint = new Paint("256");
    const painted = (name: string) => paint.render(styled("x", { colour: colourOf(name) }));
    expect(painted("yoda")).toBe(painted("yoda"));
    expect(painted("yoda")).toBe("\x1b[38;5;133mx\x1b[0m");
    const used = new Set(Array.from({ length: 500 }, (_, index) => painted(`user${index}`)));
    expect(used.size).toBe(PERSON_PALETTE.length);
  });

  test("every colour of the palette is readable on black and on white", () => {
    const levels = [0, 95, 135, 175, 215, 255];
    const linear = (value: number): number =>
      value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    for (const colour of PERSON_PALETTE) {
      const [red, green, blue] = [
        Math.floor((colour - 16) / 36),
        Math.floor((colour - 16) / 6) % 6,
        (colour - 16) % 6,
      ].map((level) => linear(levels[level] ?? 0));
      const luminance = 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
      expect((luminance + 0.05) / 0.05, `${colour} on black`).toBeGreaterThan(3.4);
      expect(1.05 / (luminance + 0.05), `${colour} on white`).toBeGreaterThan(3.4);
    }
  });
});
