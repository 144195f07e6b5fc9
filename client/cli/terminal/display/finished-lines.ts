// Lays out a finished line in rows: wrapped by words on request, and folded if it is too tall.
import { Styled, styled } from "../text/style.ts";
import { indentThatFits } from "../text/width.ts";

/** A smaller hang is that of a sentence or message and not of a table. */
const LEAST_TABLE = 16;
/** The indent of the rows of a table whose columns do not fit. */
const NARROW_INDENT = 6;

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
  const rows =
    hang > LEAST_TABLE && hang * 2 > columns ? narrowRows(text, columns) : text.wrap(columns, hang);
  if (fold === undefined || rows.length <= fold.rows) return rows;
  const rest = `… ${rows.length - fold.rows} more rows: ${fold.hint}`;
  const margin = " ".repeat(indentThatFits(columns, hang));
  const note = Styled.join([margin, styled(rest, { dim: true })]).wrap(columns, hang);
  return [...rows.slice(0, fold.rows), ...note];
}

/** A row of a table in a window without room for its columns: the second column is below the first one. */
function narrowRows(text: Styled, columns: number): Styled[] {
  const gap = /\S( {2,})\S/.exec(text.plain);
  if (gap?.[1] === undefined) return text.wrap(columns, NARROW_INDENT);
  const to = gap.index + 1;
  const rest = Styled.join([" ".repeat(NARROW_INDENT), text.slice(to + gap[1].length, text.plain.length)]);
  return [...text.slice(0, to).wrap(columns, NARROW_INDENT), ...rest.wrap(columns, NARROW_INDENT)];
}
