// Lays out completion candidates in columns, row by row.
import { Styled } from "../text/style.ts";

const GAP = 2;
/** The most rows that are shown, so that many names do not scroll the conversation away. */
const MOST_ROWS = 10;

export function inColumns(candidates: readonly string[], columns: number): Styled[] {
  const cells = candidates.map((candidate) => Styled.of(candidate));
  const width = Math.max(...cells.slice(0, columns * MOST_ROWS).map((cell) => cell.columns)) + GAP;
  const perRow = Math.max(1, Math.floor(columns / width));
  const rows: Styled[] = [];
  for (let at = 0; at < cells.length; at += perRow) {
    if (rows.length === MOST_ROWS) {
      rows.push(Styled.of(`… and ${cells.length - at} more`));
      break;
    }
    const row = cells
      .slice(at, at + perRow)
      .map((cell) => [cell, " ".repeat(Math.max(0, width - cell.columns))]);
    rows.push(Styled.join(row.flat()));
  }
  return rows;
}
