// Measures text in terminal columns, and cuts it into rows without splitting graphemes.
import { createRequire } from "node:module";
import type * as StringWidth from "string-width";
import { linksIn } from "./links.ts";

/** Loaded at first use: it takes 10 ms of CPU time to load, and most texts are plain ASCII. */
let stringWidth: (typeof StringWidth)["default"] | undefined;
let segmenter: Intl.Segmenter | undefined;
const SIMPLE = /^[\x20-\x7e\n]*$/;

/** The graphemes of `text`. Joined they are the text again; a newline is a grapheme of its own. */
export function graphemesOf(text: string): string[] {
  if (SIMPLE.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The columns of one row of safe text (see safe-text.ts: no escapes, no control characters). */
export function columnsOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  stringWidth ??= (createRequire(import.meta.url)("string-width") as typeof StringWidth).default;
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/** A row, as a range of code units of the text. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** The row begins a line of the text. */
  readonly first: boolean;
}

/**
 * Cuts text into rows of at most `columns` columns: after spaces and wide characters where possible, otherwise between
 * graphemes. A word that would fill a whole row begins on the first row of its line, so that this row is not left
 * empty. Every row but the first leaves `indent` columns free. Newlines end rows; spaces at a cut are dropped. A
 * grapheme that is wider than a row gets a row of its own. A URL is never cut: its row may be wider, and the terminal
 * wraps it, so that it can be selected and opened as one.
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

/** The text in rows of at most `columns` columns, those after the first indented: see `cutIntoRows`. */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const room = indentThatFits(columns, indent);
  return cutIntoRows(text, columns, room).map(
    (cut, index) => (index === 0 ? "" : " ".repeat(room)) + text.slice(cut.from, cut.to),
  );
}

/** The indent, limited to half the row, so that a narrow terminal still shows text. */
export function indentThatFits(columns: number, indent: number): number {
  return Math.max(0, Math.min(indent, Math.floor(columns / 2)));
}

/** How many code units of `text`, in whole graphemes, fit in `columns` columns. */
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

/** The text if it fits in `columns` columns, otherwise its beginning and "…". */
export function truncate(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return columns < 1 ? "" : `${text.slice(0, fitting(text, columns - 1))}…`;
}

function cutLine(line: string, offset: number, columns: number, indent: number, cuts: Cut[]): void {
  const graphemes = graphemesOf(line);
  const links = linksIn(line);
  const firstCut = cuts.length;
  let from = 0;
  let used = 0;
  /** The position of the next grapheme in the line, and the best position to end the row. */
  let here = { index: 0, at: 0 };
  let best: typeof here | undefined;
  const room = (): number => Math.max(1, columns - (cuts.length === 0 ? 0 : indent));
  const cut = (to: number, next: typeof here): void => {
    cuts.push({ from: offset + from, to: offset + to, first: cuts.length === firstCut });
    from = next.at;
    // Later rows may be narrower, so the text after the cut is measured again.
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
      if (best !== undefined && end !== from && !isLong) {
        cut(end, best);
        continue;
      }
      if (!links.some((link) => link.from < here.at && here.at < link.to)) {
        cut(here.at, here);
        continue;
      }
    }
    here = { index: here.index + 1, at: here.at + grapheme.length };
    used += width;
    if (grapheme === " " || width === 2) best = here;
  }
  cut(used > room() ? endWithoutSpaces(line, from, line.length) : line.length, here);
}

/** Whether the word at `start` is wider than `columns` columns. */
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
