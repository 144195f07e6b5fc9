// Where everything in the edit area goes: prompt, text, cursor and status, as rows of the terminal. Pure.
import { safeText } from "./safe-text.ts";
import { Styled } from "./style.ts";
import { columnsOf } from "./width.ts";

export interface EditContent {
  readonly prompt: Styled;
  /** Graphemes of the text being edited; a newline is one. */
  readonly units: readonly string[];
  /** Which of them the cursor stands on; their number at the end. */
  readonly cursor: number;
  /** A line below the text; nothing if empty. */
  readonly status: Styled;
}

/** Rows from top to bottom, none wider than the terminal, and the cell of the cursor, which is never past the margin. */
export interface EditArea {
  readonly rows: readonly Styled[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Lays the edit area out for a terminal of this size. Rows after the first are indented to the prompt's end. An
 * area that is taller than the terminal less one row shows a window that holds the cursor and begins at `top`
 * (index of a row of the text) if it can; the new top is returned, for the next time.
 */
export function layOut(content: EditContent, size: Size, top: number): { area: EditArea; top: number } {
  const text = layOutText(content, Math.max(2, size.columns));
  const statusRows = content.status === Styled.empty || size.rows < 3 ? 0 : 1;
  const height = Math.max(1, size.rows - 1 - statusRows);
  const lowest = Math.max(0, text.rows.length - height);
  const from = Math.min(lowest, Math.max(text.cursorRow - height + 1, Math.min(top, text.cursorRow)));
  const rows = text.rows.slice(from, from + height);
  if (statusRows > 0) rows.push(content.status.truncate(statusRoom(size.columns)));
  return {
    area: {
      rows,
      cursorRow: text.cursorRow - from,
      cursorColumn: Math.min(text.cursorColumn, size.columns - 1),
    },
    top: from,
  };
}

/**
 * Not the whole row: xterm.js counts a row that it wraps below the cursor as one above it, and the next frame would
 * begin too low. So a status should survive a window that is made narrower by a step.
 */
function statusRoom(columns: number): number {
  return Math.max(Math.min(columns, 20), Math.floor((columns * 3) / 4));
}

function layOutText(content: EditContent, columns: number) {
  // A prompt must leave room to type in.
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
      // On a newline at the margin the cursor has no cell: it waits on the next row.
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
  return { rows, cursorRow, cursorColumn };
}
