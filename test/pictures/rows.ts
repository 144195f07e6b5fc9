// From what a terminal shows to rows of styled text: colours, weights, and the column at which each piece begins.
import headless from "@xterm/headless";
import type { Capture } from "./terminals.ts";

export interface Piece {
  readonly text: string;
  /** From 0. */
  readonly column: number;
  /** Terminal cells; a wide character takes two. */
  readonly cells: number;
  /** The number of an xterm colour, 0 to 255; undefined for the terminal's own. */
  readonly colour: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
}

/** The rows down to the last one that is not empty. */
export async function readRows({ ansi, columns, rows }: Capture): Promise<Piece[][]> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  await new Promise<void>((resolve) => terminal.write(ansi.trimEnd(), resolve));
  const read = Array.from({ length: rows }, (_, row) => readRow(terminal, row));
  while (read.at(-1)?.length === 0) read.pop();
  return read;
}

function readRow(terminal: headless.Terminal, row: number): Piece[] {
  const line = terminal.buffer.active.getLine(row);
  const pieces: Piece[] = [];
  for (let column = 0; column < terminal.cols; column += 1) {
    const cell = line?.getCell(column);
    const cells = cell?.getWidth() ?? 0;
    if (cell === undefined || cells === 0) continue;
    const piece: Piece = {
      text: cell.getChars() || " ",
      column,
      cells,
      colour: cell.isFgPalette() ? cell.getFgColor() : undefined,
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
      italic: cell.isItalic() !== 0,
    };
    const last = pieces.at(-1);
    if (last !== undefined && isAlike(last, piece)) {
      pieces[pieces.length - 1] = {
        ...last,
        text: last.text + piece.text,
        cells: piece.column + piece.cells - last.column,
      };
    } else pieces.push(piece);
  }
  while (pieces.at(-1)?.text.trim() === "") pieces.pop();
  const last = pieces.pop();
  if (last === undefined) return [];
  const text = last.text.trimEnd();
  return [...pieces, { ...last, text, cells: last.cells - (last.text.length - text.length) }];
}

/** Wide characters are pieces of their own, as a font need not draw them two cells wide. */
function isAlike(a: Piece, b: Piece): boolean {
  return (
    a.colour === b.colour &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.italic === b.italic &&
    b.cells === 1 &&
    a.cells === [...a.text].length
  );
}
