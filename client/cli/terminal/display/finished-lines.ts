// Lays out a finished line in rows: wrapped by words on request, and folded if it is too tall.
import { Styled, styled } from "../text/style.ts";
import { indentThatFits } from "../text/width.ts";

export interface PrintOptions {
  /**
   * Wraps by words at the current width, and indents later rows by this many columns. Without it the terminal wraps.
   */
  readonly hang?: number;
  /** With `hang`: shows at most `rows` rows of a line, then the number of further rows and the hint. */
  readonly fold?: { readonly rows: number; readonly hint: string };
}

/** The rows of one text at this width. */
export function rowsOf(text: Styled, columns: number, { hang, fold }: PrintOptions): readonly Styled[] {
  if (hang === undefined) return text.lines();
  const rows = text.wrap(columns, hang);
  if (fold === undefined || rows.length <= fold.rows) return rows;
  const rest = `… ${rows.length - fold.rows} more rows: ${fold.hint}`;
  const margin = " ".repeat(indentThatFits(columns, hang));
  const note = Styled.join([margin, styled(rest, { dim: true })]).wrap(columns, hang);
  return [...rows.slice(0, fold.rows), ...note];
}
