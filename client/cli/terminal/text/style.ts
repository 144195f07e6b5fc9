// Styled text: text and its style, without escape sequences. All text in it is safe for a terminal.
import { safeText } from "./safe-text.ts";
import { columnsOf, cutIntoRows, fitting, indentThatFits } from "./width.ts";

export type NamedColour = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "grey";
/** The colour of a user, the same wherever the name appears: see `colourOf`. */
export interface PersonColour {
  readonly hash: number;
}

export interface Look {
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  readonly colour?: NamedColour | PersonColour;
}

interface Span {
  readonly text: string;
  readonly look: Look;
}

const PLAIN: Look = {};
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A text and its style. Immutable. Created by `styled` and `line`, which make the text safe. */
export class Styled {
  readonly spans: readonly Span[];

  private constructor(spans: readonly Span[]) {
    this.spans = spans;
  }

  static readonly empty = new Styled([]);

  /** Makes a text safe, in one line: a newline becomes its picture, so that a text cannot add lines of its own. */
  static of(text: string, look: Look = PLAIN): Styled {
    return text === "" ? Styled.empty : new Styled([{ text: safeText(text), look }]);
  }

  /** Like `of`, but newlines are kept: for the text of messages, and texts of this program. */
  static multiline(text: string, look: Look = PLAIN): Styled {
    return text === "" ? Styled.empty : new Styled([{ text: safeText(text, { multiline: true }), look }]);
  }

  static join(pieces: readonly (Styled | string)[], separator: Styled | string = ""): Styled {
    const between = toStyled(separator).spans;
    return new Styled(
      pieces.flatMap((piece, index) =>
        index === 0 ? toStyled(piece).spans : [...between, ...toStyled(piece).spans],
      ),
    );
  }

  /** The text without style: what plain mode writes, and what is measured. */
  get plain(): string {
    return this.spans.map((span) => span.text).join("");
  }

  get columns(): number {
    return columnsOf(this.plain);
  }

  /** The part between two code units of `plain`. */
  slice(from: number, to: number): Styled {
    const spans: Span[] = [];
    let at = 0;
    for (const { text, look } of this.spans) {
      const part = text.slice(Math.max(0, from - at), Math.max(0, to - at));
      if (part !== "") spans.push({ text: part, look });
      at += text.length;
    }
    return new Styled(spans);
  }

  lines(): Styled[] {
    const plain = this.plain;
    if (!plain.includes("\n")) return [this];
    let at = 0;
    return plain.split("\n").map((text) => {
      const from = at;
      at += text.length + 1;
      return this.slice(from, from + text.length);
    });
  }

  /** Rows of at most `columns` columns, the later ones indented: see `cutIntoRows`. */
  wrap(columns: number, indent = 0): Styled[] {
    const room = indentThatFits(columns, indent);
    const margin = Styled.of(" ".repeat(room));
    return cutIntoRows(this.plain, columns, room).map((cut, index) => {
      const row = this.slice(cut.from, cut.to);
      return index === 0 || room === 0 ? row : Styled.join([margin, row]);
    });
  }

  /** This text if it fits, otherwise its beginning and "…". */
  truncate(columns: number): Styled {
    if (this.columns <= columns) return this;
    if (columns < 1) return Styled.empty;
    return Styled.join([this.slice(0, fitting(this.plain, columns - 1)), "…"]);
  }
}

/** Text with a style: `styled("yoda", { bold: true, colour: colourOf("yoda") })`. */
export function styled(text: string, look: Look): Styled {
  return Styled.of(text, look);
}

/** Joins texts: line`${time} ${styled(name, …)}: ${text}`. Every value is made safe, and a string is one line. */
export function line(
  strings: TemplateStringsArray,
  ...values: readonly (Styled | string | number | bigint)[]
): Styled {
  const pieces: Styled[] = [];
  for (const [index, text] of strings.entries()) {
    pieces.push(Styled.multiline(text));
    const value = values[index];
    if (value !== undefined) pieces.push(value instanceof Styled ? value : Styled.of(String(value)));
  }
  return Styled.join(pieces);
}

/** The colour of a name: the same on every screen with the same number of colours. */
export function colourOf(name: string): PersonColour {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(name, "utf8")) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  // FNV's low bits are weak for short names, and the palette index is a remainder.
  return { hash: (hash ^ (hash >>> 15)) >>> 0 };
}

export function toStyled(text: Styled | string): Styled {
  return typeof text === "string" ? Styled.of(text) : text;
}
