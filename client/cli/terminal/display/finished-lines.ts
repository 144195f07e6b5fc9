// How a finished line is laid out in rows: wrapped by words where that is asked for, and folded where it is too tall.
import { Styled, styled } from "../text/style.ts";
import { indentThatFits } from "../text/width.ts";

export interface PrintOptions {
  /** Wrap by words at today's width, with later rows indented by so many columns. Else the terminal wraps. */
  readonly hang?: number;
  /** With `hang`: shows so many rows of each line, and then how many more there are, with a word on how to see them. */
  readonly fold?: { readonly rows: number; readonly hint: string };
}

/** The rows of one text at this width; with no `hang` the terminal wraps. */
export function rowsOf(text: Styled, columns: number, { hang, fold }: PrintOptions): readonly Styled[] {
  if (hang === undefined) return text.lines();
  const rows = text.wrap(columns, hang);
  if (fold === undefined || rows.length <= fold.rows) return rows;
  const rest = `… ${rows.length - fold.rows} more rows: ${fold.hint}`;
  const margin = " ".repeat(indentThatFits(columns, hang));
  const note = Styled.join([margin, styled(rest, { dim: true })]).wrap(columns, hang);
  return [...rows.slice(0, fold.rows), ...note];
}
