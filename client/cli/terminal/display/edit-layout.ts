// Lays out the edit area: prompt, text, cursor and status line as rows of the terminal. Pure functions.
import { safeText } from "../text/safe-text.ts";
import { Styled, styled } from "../text/style.ts";
import { columnsOf } from "../text/width.ts";

export interface EditContent {
  readonly prompt: Styled;
  /** Graphemes of the text being edited; a newline is one. */
  readonly units: readonly string[];
  /** Index of the grapheme under the cursor; the number of graphemes at the end. */
  readonly cursor: number;
  /** The parts of the line below the text, the most important first; no line if there are none. */
  readonly status: readonly Styled[];
}

/**
 * The rows from top to bottom, none wider than the terminal, and the cell of the cursor within the terminal's width.
 */
export interface EditArea {
  readonly rows: readonly Styled[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const SEPARATOR = styled(" · ", { dim: true });

/**
 * Lays out the edit area for a terminal of this size. Rows after the first are indented to the end of the prompt. An
 * area taller than the terminal less one row shows a window of the text: it contains the cursor, begins at row `top` of
 * the text where possible, and is headed by a row with the prompt. The result includes the `top` to pass the next time.
 */
export function layOut(content: EditContent, size: Size, top: number): { area: EditArea; top: number } {
  const text = layOutText(content, Math.max(2, size.columns));
  const statusRows = content.status.length === 0 || size.rows < 3 ? 0 : 1;
  const height = Math.max(1, size.rows - 1 - statusRows);
  const { from, isHeaded } = windowOf(text.rows.length, text.cursorRow, height, top);
  const rows = text.rows.slice(from, from + height - (isHeaded ? 1 : 0));
  if (isHeaded) rows.unshift(headOf(text.prompt, from, size.columns));
  if (statusRows > 0) rows.push(fittingStatus(content.status, statusRoom(size.columns)));
  return {
    area: {
      rows,
      cursorRow: text.cursorRow - from + (isHeaded ? 1 : 0),
      cursorColumn: Math.min(text.cursorColumn, size.columns - 1),
    },
    top: from,
  };
}

/** Which rows of a text to show in `height` rows; `isHeaded`: the first one is a head that counts the rows above. */
function windowOf(rows: number, cursorRow: number, height: number, top: number) {
  const fromIn = (room: number): number =>
    Math.min(Math.max(0, rows - room), Math.max(cursorRow - room + 1, Math.min(top, cursorRow)));
  const from = fromIn(height);
  if (from === 0 || height < 2) return { from, isHeaded: false };
  const below = fromIn(height - 1);
  // A head for a single hidden row would take the place of that row.
  return below === 1 ? { from: 0, isHeaded: false } : { from: below, isHeaded: true };
}

function headOf(prompt: Styled, hidden: number, columns: number): Styled {
  return Styled.join([prompt, styled(`… ${hidden} lines above`, { dim: true })]).truncate(columns);
}

/** A part that does not fit is left out; only the first one is truncated. */
function fittingStatus([first = Styled.empty, ...others]: readonly Styled[], room: number): Styled {
  let shown = first.truncate(room);
  for (const part of others) {
    const longer = Styled.join([shown, part], SEPARATOR);
    if (longer.columns <= room) shown = longer;
  }
  return shown;
}

/**
 * The columns of the status, fewer than the whole row has. When xterm.js wraps a row below the cursor, it counts the
 * new row as one above, and the next frame would begin too low. A shorter status is not wrapped when the window becomes
 * a little narrower.
 */
function statusRoom(columns: number): number {
  return Math.max(Math.min(columns, 20), Math.floor((columns * 3) / 4));
}

function layOutText(content: EditContent, columns: number) {
  // The prompt leaves room for text.
  const prompt =
    content.prompt.lines()[0]?.truncate(Math.max(1, Math.floor((columns * 2) / 3))) ?? Styled.empty;
  const indent = prompt.columns <= columns / 3 ? prompt.columns : 0;
  const rows: Styled[] = [];
  let row = "";
  let used = prompt.columns;
  let cursorRow = 0;
  let cursorColumn = used;
  const next = (): void => {
    rows.push(
      rows.length === 0 ? Styled.join([prompt, Styled.of(row)]) : Styled.of(" ".repeat(indent) + row),
    );
    row = "";
    used = indent;
  };
  for (const [index, unit] of content.units.entries()) {
    const shown = unit === "\n" ? "" : safeText(unit);
    const width = columnsOf(shown);
    if (used + width > columns) next();
    if (index === content.cursor) {
      // A newline at the margin has no cell, so the cursor is shown on the next row.
      if (used >= columns) next();
      cursorRow = rows.length;
      cursorColumn = used;
    }
    if (unit === "\n") {
      next();
    } else {
      row += shown;
      used += width;
    }
  }
  if (content.cursor >= content.units.length) {
    if (used >= columns) next();
    cursorRow = rows.length;
    cursorColumn = used;
  }
  next();
  return { prompt, rows, cursorRow, cursorColumn };
}
