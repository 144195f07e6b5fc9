// Draws rows of styled text as an SVG of a terminal window: text that can be read and selected, in the reader's own fonts.
import type { Piece } from "./rows.ts";
import type { Capture } from "./terminals.ts";

export interface Theme {
  readonly name: string;
  readonly background: string;
  readonly frame: string;
  readonly text: string;
  readonly dim: string;
  /** The sixteen named colours, of which the chat uses 1 to 6 and 8. */
  readonly named: Readonly<Record<number, string>>;
}

export const themes: readonly Theme[] = [
  {
    name: "dark",
    background: "#0d1117",
    frame: "#30363d",
    text: "#e6edf3",
    dim: "#8b949e",
    named: {
      1: "#ff7b72",
      2: "#3fb950",
      3: "#d29922",
      4: "#58a6ff",
      5: "#bc8cff",
      6: "#39c5cf",
      8: "#8b949e",
    },
  },
  {
    name: "light",
    background: "#ffffff",
    frame: "#d0d7de",
    text: "#1f2328",
    dim: "#656d76",
    named: {
      1: "#cf222e",
      2: "#116329",
      3: "#7d4e00",
      4: "#0969da",
      5: "#8250df",
      6: "#1b7c83",
      8: "#656d76",
    },
  },
];

/** User units: a monospace font of 14 is about 8.4 wide. */
const CELL = 8.4;
const LINE = 19;
const FONT_SIZE = 14;
const PADDING = 16;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

export function drawScreen(
  rows: readonly (readonly Piece[])[],
  { columns, cursor }: Pick<Capture, "columns" | "cursor">,
  theme: Theme,
): string {
  const width = Math.ceil(columns * CELL + 2 * PADDING);
  const height = rows.length * LINE + 2 * PADDING;
  const lines = rows.flatMap((pieces, row) =>
    pieces.length === 0 ? [] : [drawRow(pieces, PADDING + row * LINE + FONT_SIZE, theme)],
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    "<title>A chat in a terminal</title>",
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${theme.background}" stroke="${theme.frame}"/>`,
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${theme.text}">`,
    ...lines,
    `<rect x="${round(PADDING + cursor.column * CELL)}" y="${PADDING + cursor.row * LINE}" width="${CELL}" height="${LINE - 1}"/>`,
    "</g>",
    "</svg>",
  ].join("\n")}\n`;
}

function drawRow(pieces: readonly Piece[], y: number, theme: Theme): string {
  const spans = pieces.map((piece) => drawPiece(piece, theme)).join("");
  return `<text xml:space="preserve" y="${y}">${spans}</text>`;
}

function drawPiece(piece: Piece, theme: Theme): string {
  const colour =
    piece.colour === undefined ? (piece.dim ? theme.dim : undefined) : colourOf(piece.colour, theme);
  const attributes = [
    `x="${round(PADDING + piece.column * CELL)}"`,
    // Whatever the font's width, a piece ends where the next one begins.
    `textLength="${round(piece.cells * CELL)}"`,
    ...(colour === undefined ? [] : [`fill="${colour}"`]),
    ...(piece.bold ? ['font-weight="bold"'] : []),
    ...(piece.italic ? ['font-style="italic"'] : []),
  ];
  return `<tspan ${attributes.join(" ")}>${escapeXml(piece.text)}</tspan>`;
}

/** The first sixteen colours are the theme's; the rest are a cube of six levels and a ramp of greys. */
function colourOf(number: number, theme: Theme): string {
  if (number < 16) return theme.named[number] ?? theme.text;
  if (number >= 232) return hex([8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)]);
  const cube = number - 16;
  const level = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  return hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function hex(levels: readonly number[]): string {
  return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
