// What to write to the terminal so that finished lines go above the edit area and the area stands below them, whole.

import type { Environment } from "../text/paint.ts";
import type { Styled } from "../text/style.ts";
import { columnsOf, graphemesOf } from "../text/width.ts";
import type { EditArea } from "./edit-layout.ts";

/**
 * What a terminal does with rows that are too wide after it was made narrower: wraps them all, wraps all but the
 * one with the cursor (xterm.js), or cuts them off.
 */
export type Reflow = "all" | "all-but-cursor-row" | "none";

export function reflowOf(env: Environment): Reflow {
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
   * Erases the area, writes finished lines (already painted; the terminal wraps them) and the new area, in one
   * synchronized update. The area's rows are written with wrapping off: when the terminal finds a character wider
   * than we do, the row is cut instead of pushing the whole area out of place.
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

  /** Erases the area and leaves the cursor where it began. */
  erase(columns: number): string {
    if (this.#painted === undefined) return "\r";
    const above = rowsAboveCursor(this.#painted, columns, this.#reflow);
    this.#painted = undefined;
    // tmux takes "erase all from the first cell" for a clear and keeps what was there as history. Hence the step
    // to the right: the first row is erased by itself, and all below it from its second cell.
    return `\r${up(above)}\x1b[K\x1b[C\x1b[J\r`;
  }

  /** Forgets the area: whatever is on the screen stays there, and the next frame begins at the cursor. */
  forget(): void {
    this.#painted = undefined;
  }
}

/** How far the area's first row is above the cursor, after the terminal may have been resized since it was painted. */
function rowsAboveCursor(painted: Painted, columns: number, reflow: Reflow): number {
  if (columns >= painted.columns || reflow === "none") return painted.cursorRow;
  let above = 0;
  for (const row of painted.rows.slice(0, painted.cursorRow))
    above += rowOfColumn(row, undefined, columns) + 1;
  if (reflow === "all-but-cursor-row") return above;
  return above + rowOfColumn(painted.rows[painted.cursorRow] ?? "", painted.cursorColumn, columns);
}

/** Into which row the cell at `column` (or the last one) of a row falls when the terminal wraps it anew. */
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
