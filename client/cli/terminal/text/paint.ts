// Renders styled text with escape sequences, in the colours that the terminal has and the user allows.
import { hasLinks, type Variables, withLinks } from "./links.ts";
import type { Look, NamedColour, PersonColour, Styled } from "./style.ts";

export type { Variables } from "./links.ts";

/** The part of a TTY stream that returns its number of colours. Other streams lack it. */
export interface ColourSource {
  readonly isTTY?: boolean;
  getColorDepth?(env?: object): number;
}

/** "none": no escape sequences. "mono": bold and dim, but no colour. Otherwise 16 or 256 colours. */
export type PaintLevel = "none" | "mono" | "16" | "256";

/** The colours of xterm's 256 that have a contrast of at least 3.4 to both black and white. */
export const PERSON_PALETTE: readonly number[] = [
  26, 27, 28, 29, 30, 31, 32, 33, 60, 61, 62, 63, 64, 65, 66, 67, 68, 93, 94, 95, 96, 97, 98, 99, 100, 101,
  103, 127, 128, 129, 130, 131, 132, 133, 134, 135, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 196,
  197, 198, 199,
];
/** The colours of the sixteen that are readable on dark and light backgrounds. */
const PERSON_PALETTE_16: readonly number[] = [31, 32, 35, 36];

const NAMED: Readonly<Record<NamedColour, number>> = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  grey: 90,
};
const RESET = "\x1b[0m";

export class Paint {
  readonly level: PaintLevel;
  readonly #links: boolean;

  /** @param links whether URLs are written as links */
  constructor(level: PaintLevel, links = false) {
    this.level = level;
    this.#links = links && level !== "none";
  }

  /** The level that the environment and the stream allow. FORCE_COLOR outranks TERM=dumb, which outranks NO_COLOR. */
  static for(output: ColourSource, env: Variables): Paint {
    const links = output.isTTY === true && hasLinks(env);
    const forced = forcedLevel(env.FORCE_COLOR);
    if (forced !== undefined) return new Paint(forced, links);
    if (output.isTTY !== true || env.TERM === "dumb") return new Paint("none");
    if ((env.NO_COLOR ?? "") !== "") return new Paint("mono", links);
    const depth = output.getColorDepth?.(env) ?? 1;
    return new Paint(depth >= 8 ? "256" : depth >= 4 ? "16" : "mono", links);
  }

  /** The text with escape sequences. Every span ends in a reset, so that results can be joined. */
  render(text: Styled): string {
    if (this.level === "none") return text.plain;
    let painted = "";
    for (const span of text.spans) {
      const codes = this.#codes(span.look);
      const shown = this.#links ? withLinks(span.text) : span.text;
      painted += codes.length === 0 ? shown : `\x1b[${codes.join(";")}m${shown}${RESET}`;
    }
    return painted;
  }

  #codes(look: Look): string[] {
    const codes: string[] = [];
    if (look.bold === true) codes.push("1");
    if (look.dim === true) codes.push("2");
    if (look.italic === true) codes.push("3");
    if (look.underline === true) codes.push("4");
    if (look.inverse === true) codes.push("7");
    if (look.colour !== undefined && this.level !== "mono") codes.push(this.#colour(look.colour));
    return codes;
  }

  #colour(colour: NamedColour | PersonColour): string {
    if (typeof colour === "string") return String(NAMED[colour]);
    if (this.level === "16") return String(pick(PERSON_PALETTE_16, colour.hash));
    return `38;5;${pick(PERSON_PALETTE, colour.hash)}`;
  }
}

function pick(palette: readonly number[], hash: number): number {
  return palette[hash % palette.length] ?? 39;
}

function forcedLevel(value: string | undefined): PaintLevel | undefined {
  switch (value) {
    case undefined:
      return undefined;
    case "0":
    case "false":
      return "none";
    case "2":
    case "3":
      return "256";
    default:
      return "16";
  }
}
