// The drawing of a terminal keeps what the terminal shows: text, columns, colours, the cursor.
import { expect, test } from "vitest";
import { readRows } from "./rows.ts";
import { drawScreen, themes } from "./svg.ts";

const screen = {
  ansi: "\x1b[2m21:04 \x1b[0;1m\x1b[38;5;161mhans\x1b[0m: a <b> & 你好   \n\n\x1b[31mred\x1b[0m\n\n",
  columns: 40,
  rows: 6,
  cursor: { column: 3, row: 2 },
};

test("rows have styled pieces at their columns, without empty cells and rows at the end", async () => {
  const plain = { colour: undefined, bold: false, dim: false, italic: false };
  expect(await readRows(screen)).toEqual([
    [
      { ...plain, text: "21:04 ", column: 0, cells: 6, dim: true },
      { ...plain, text: "hans", column: 6, cells: 4, colour: 161, bold: true },
      { ...plain, text: ": a <b> & ", column: 10, cells: 10 },
      { ...plain, text: "你", column: 20, cells: 2 },
      { ...plain, text: "好", column: 22, cells: 2 },
    ],
    [],
    [{ ...plain, text: "red", column: 0, cells: 3, colour: 1 }],
  ]);
});

test.each(themes)("the $name picture has the text, escaped, in the colours of the theme", async (theme) => {
  const svg = drawScreen(await readRows(screen), screen, theme);
  const text = [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, row = ""]) =>
    row.replaceAll(/<[^>]+>/g, ""),
  );
  expect(text).toEqual(["21:04 hans: a &lt;b&gt; &amp; 你好", "red"]);
  expect(svg).toContain(`fill="${theme.background}"`);
  expect(svg).toContain(`fill="${theme.dim}">21:04 </tspan>`);
  expect(svg).toContain('fill="#d7005f" font-weight="bold">hans</tspan>');
  expect(svg).toContain(`fill="${theme.named[1]}">red</tspan>`);
  expect(svg).toMatch(/<rect x="41.2" y="54" /);
});
