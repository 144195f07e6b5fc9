// Produces the output that puts finished lines above the edit area and redraws the area below them.

import type { Variables } from "../text/paint.ts";
import type { Styled } from "../text/style.ts";
import { columnsOf, graphemesOf } from "../text/width.ts";
import type { EditArea } from "./edit-layout.ts";

/**
 * What a terminal does with rows that are too wide after it became narrower: wraps all of them, wraps all but the row
 * with the cursor (xterm.js), or truncates them.
 */
export type Reflow = "all" | "all-but-cursor-row" | "none";

export function reflowOf(env: Variables): Reflow {
  if ((env.TMUX ?? "") !== "") return "all";
  if (env.TERM === "linux" || (env.STY ?? "") !== "" || (env.XTERM_VERSION ?? "") !== "") return "none";
  return env.TERM_PROGRAM === "vscode" ? "all-but-cursor-row" : "all";
}

const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";

interface Painted {
  readonly rows: readonly string[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
  readonly columns: number;
}

export class Painter {
  readonly #reflow: Reflow;
  #painted: Painted | undefined;

  constructor(reflow: Reflow) {
    this.#reflow = reflow;
  }

  /**
   * Erases the area, and writes the finished lines (rendered; the terminal wraps them) and the new area, in one
   * synchronized update. The rows of the area are written without wrapping: if the terminal shows a character wider
   * than width.ts measures, the row is truncated and the rest of the area stays in place.
   */
  frame(lines: readonly string[], area: EditArea, columns: number, render: (row: Styled) => string): string {
    const erase = this.erase(columns);
    const { rows, cursorRow, cursorColumn } = area;
    this.#painted = { rows: rows.map((row) => row.plain), cursorRow, cursorColumn, columns };
    const finished = lines.map((text) => `${text}\r\n`).join("");
    const painted = NO_WRAP + rows.map(render).join("\r\n") + WRAP;
    const back = `${up(rows.length - 1 - cursorRow)}\r${right(cursorColumn)}`;
    return BEGIN + erase + finished + painted + back + END;
  }

  /** Erases the area and moves the cursor to its first cell. */
  erase(columns: number): string {
    if (this.#painted === undefined) return "\r";
    const above = rowsAboveCursor(this.#painted, columns, this.#reflow);
    this.#painted = undefined;
    // tmux treats "erase below" from the first cell as a clear, and moves the content to its history. So the first row
    // is erased by itself, and the rest from the second cell of that row.
    return `\r${up(above)}\x1b[K\x1b[C\x1b[J\r`;
  }

  /** Forgets the area: it stays on the screen, and the next frame begins at the cursor. */
  forget(): void {
    this.#painted = undefined;
  }
}

/** How many rows the area's first row is above the cursor, if the terminal was resized since the area was painted. */
function rowsAboveCursor(painted: Painted, columns: number, reflow: Reflow): number {
  if (columns >= painted.columns || reflow === "none") return painted.cursorRow;
  let above = 0;
  for (const row of painted.rows.slice(0, painted.cursorRow))
    above += rowOfColumn(row, undefined, columns) + 1;
  if (reflow === "all-but-cursor-row") return above;
  return above + rowOfColumn(painted.rows[painted.cursorRow] ?? "", painted.cursorColumn, columns);
}

/** The row, from 0, that the cell at `column` (or the last cell) of a row moves to when the terminal wraps the row. */
function rowOfColumn(text: string, column: number | undefined, columns: number): number {
  let row = 0;
  let used = 0;
  let passed = 0;
  for (const grapheme of graphemesOf(text)) {
    const width = columnsOf(grapheme);
    if (used + width > columns) {
      row += 1;
      used = 0;
    }
    if (column !== undefined && passed + width > column) return row;
    used += width;
    passed += width;
  }
  return row;
}

function up(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

function right(columns: number): string {
  return columns > 0 ? `\x1b[${columns}C` : "";
}
