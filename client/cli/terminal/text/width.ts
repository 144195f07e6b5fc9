// How many columns text takes on a terminal, and how it is cut into rows without splitting what a person sees as one character.
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const SIMPLE = /^[\x20-\x7e\n]*$/;

/** The characters of `text` as a person counts them. Joined they are the text again; a newline is one of its own. */
export function graphemesOf(text: string): string[] {
  if (SIMPLE.test(text)) return text.split("");
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns of a safe text in one row (see safe-text.ts: no escapes, no control characters). */
export function columnsOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/** A row as a range of code units of the text that was cut. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** Begins a line of the text itself, rather than continuing one. */
  readonly first: boolean;
}

/**
 * Cuts text into rows of at most `columns` columns, after spaces and wide characters where it can, else between
 * graphemes; so too a word on a line's first row that would fill the next one: the first is not left empty. Every row but the first leaves `indent` columns free. Newlines end rows; spaces at a cut are left
 * out. A single grapheme wider than a row gets a row of its own.
 */
export function cutIntoRows(text: string, columns: number, indent = 0): Cut[] {
  const cuts: Cut[] = [];
  let from = 0;
  for (const line of text.split("\n")) {
    cutLine(line, from, columns, indent, cuts);
    from += line.length + 1;
  }
  return cuts;
}

/** Text in rows of at most `columns` columns, those after the first indented: see `cutIntoRows`. */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const room = indentThatFits(columns, indent);
  return cutIntoRows(text, columns, room).map(
    (cut, index) => (index === 0 ? "" : " ".repeat(room)) + text.slice(cut.from, cut.to),
  );
}

/** At most half the row: a narrow terminal must still show something of the text. */
export function indentThatFits(columns: number, indent: number): number {
  return Math.max(0, Math.min(indent, Math.floor(columns / 2)));
}

/** How much of `text` (in code units, at a grapheme's end) fits `columns` columns. */
export function fitting(text: string, columns: number): number {
  let used = 0;
  let at = 0;
  for (const grapheme of graphemesOf(text)) {
    const width = columnsOf(grapheme);
    if (used + width > columns) return at;
    used += width;
    at += grapheme.length;
  }
  return at;
}

/** The text itself if it fits `columns` columns, else its beginning and "…". */
export function truncate(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return columns < 1 ? "" : `${text.slice(0, fitting(text, columns - 1))}…`;
}

function cutLine(line: string, offset: number, columns: number, indent: number, cuts: Cut[]): void {
  const graphemes = graphemesOf(line);
  const firstCut = cuts.length;
  let from = 0;
  let used = 0;
  /** Where the next grapheme stands in the line, and where a row may end best. */
  let here = { index: 0, at: 0 };
  let best: typeof here | undefined;
  const room = (): number => Math.max(1, columns - (cuts.length === 0 ? 0 : indent));
  const cut = (to: number, next: typeof here): void => {
    cuts.push({ from: offset + from, to: offset + to, first: cuts.length === firstCut });
    from = next.at;
    // Later rows may be narrower than this one: what stands after the cut is measured again.
    here = next;
    used = 0;
    best = undefined;
  };
  for (let grapheme = graphemes[0]; grapheme !== undefined; grapheme = graphemes[here.index]) {
    const width = columnsOf(grapheme);
    if (grapheme !== " " && used > 0 && used + width > room()) {
      const end = best === undefined ? from : endWithoutSpaces(line, from, best.at);
      const isLong =
        cuts.length === firstCut &&
        best !== undefined &&
        here.at > best.at &&
        fills(graphemes, best.index, columns - indent);
      if (best === undefined || end === from || isLong) cut(here.at, here);
      else cut(end, best);
      continue;
    }
    here = { index: here.index + 1, at: here.at + grapheme.length };
    used += width;
    if (grapheme === " " || width === 2) best = here;
  }
  cut(used > room() ? endWithoutSpaces(line, from, line.length) : line.length, here);
}

/** The word that begins there is wider than a row of so many columns. */
function fills(graphemes: readonly string[], start: number, columns: number): boolean {
  let used = 0;
  for (let index = start; used <= columns; index += 1) {
    const grapheme = graphemes[index];
    if (grapheme === undefined || grapheme === " ") return false;
    used += columnsOf(grapheme);
  }
  return true;
}

function endWithoutSpaces(line: string, from: number, to: number): number {
  let end = to;
  while (end > from && line[end - 1] === " ") end -= 1;
  return end;
}
