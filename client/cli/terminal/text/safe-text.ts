// Makes text that came from somebody else safe to put on a terminal: the only way from foreign bytes to the screen.

/** Combining marks kept on one base character; what is above is dropped (a name must not climb over other lines). */
export const MARKS_PER_BASE = 4;

/** Joiners in a row that may glue emoji together; the longest real sequences have three. */
const JOINERS_PER_EMOJI = 5;

const TAB = "    ";
const DOTTED_CIRCLE = "\u{25CC}";
const FIRST_STRONG_ISOLATE = "\u{2068}";
const POP_ISOLATE = "\u{2069}";
const ZERO_WIDTH_NON_JOINER = "\u{200C}";
const ZERO_WIDTH_JOINER = "\u{200D}";

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u;
const MARK = /^\p{M}$/u;
const EMOJI = /^\p{Emoji}$/u;
const PICTOGRAPH = /^\p{Extended_Pictographic}$/u;
const EMOJI_TAIL = /^(?:\p{Emoji_Modifier}|\u{FE0F})$/u;
const IDEOGRAPH = /^\p{Ideographic}$/u;
const INVISIBLE = /^\p{Default_Ignorable_Code_Point}$/u;
/** Embeddings and overrides, which reorder what stands beside them: shown, because they are an attack. */
const OVERRIDE = /^[\u{202A}-\u{202E}]$/u;
const FLAG_WITH_TAGS = /\u{1F3F4}[\u{E0020}-\u{E007E}]+\u{E007F}/uy;
const RGI_EMOJI = /^\p{RGI_Emoji}$/v;
/** Scripts whose spelling needs the zero-width joiner and non-joiner. */
const JOINING_SCRIPT =
  /^[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Mongolian}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}]$/u;
const RIGHT_TO_LEFT =
  /[\u{0590}-\u{08FF}\u{FB1D}-\u{FDFF}\u{FE70}-\u{FEFC}\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

interface Rules {
  readonly newlines: boolean;
  /** A name has no business with anything that cannot be seen, joiners included. */
  readonly name: boolean;
}

/**
 * Text as a person may see it. Left in: printable characters, and "\n" if `multiline`. Tabs become four spaces,
 * CRLF a newline. Control characters become their pictures (ESC is U+241B), lone surrogates U+FFFD; overrides of
 * direction, private-use and unassigned characters are spelled out as ‹U+202E›; what cannot be seen is dropped,
 * save what emoji and Arabic or Indic spelling need. A line with right-to-left letters is isolated, so that it
 * cannot reorder its neighbours. Idempotent; never throws.
 */
export function safeText(text: string, options: { readonly multiline?: boolean } = {}): string {
  return clean(text, { newlines: options.multiline === true, name: false });
}

/** A name, or any label, as a person may see it: one line, nothing invisible in it, every space a plain one. */
export function safeName(name: string): string {
  return clean(name, { newlines: false, name: true });
}

function clean(text: string, rules: Rules): string {
  if (PLAIN_ASCII.test(text)) return text;
  const scanner = new Scanner(rules);
  const wellFormed = rules.newlines ? text.toWellFormed().replaceAll("\r\n", "\n") : text.toWellFormed();
  for (let at = 0; at < wellFormed.length; ) at += scanner.take(wellFormed, at);
  return isolate(scanner.text);
}

function isolate(text: string): string {
  if (!RIGHT_TO_LEFT.test(text)) return text;
  const lines = text.split("\n");
  return lines
    .map((line) => (RIGHT_TO_LEFT.test(line) ? FIRST_STRONG_ISOLATE + line + POP_ISOLATE : line))
    .join("\n");
}

/** One pass from left to right. What it keeps depends on what it kept, so a second pass changes nothing. */
class Scanner {
  text = "";
  readonly #rules: Rules;
  /** The last code point kept, "" at the start of a line. */
  #previous = "";
  /** The last one kept that is not an emoji's modifier or selector. */
  #base = "";
  #marks = 0;
  #joiners = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Reads one code point (or one flag sequence) at `at` and returns its length in code units. */
  take(text: string, at: number): number {
    const code = text.codePointAt(at) ?? 0;
    const character = String.fromCodePoint(code);
    if (code >= 0x20 && code < 0x7f) this.#keep(character);
    else if (code < 0x20 || code === 0x7f) this.#control(code);
    else if (code === 0x1f3f4) return this.#flag(text, at);
    else if (code === 0x200c || code === 0x200d) this.#joiner(character, text, at);
    else if (OVERRIDE.test(character)) this.#spellOut(code);
    else if (INVISIBLE.test(character)) this.#selector(character);
    else if (MARK.test(character)) this.#mark(character);
    else if (!PRINTABLE.test(character)) this.#spellOut(code);
    else if (this.#rules.name && /^\p{Zs}$/u.test(character)) this.#keep(" ");
    else this.#keep(character);
    return character.length;
  }

  #keep(character: string): void {
    this.text += character;
    // A joiner counts towards its limit only while it glues: any other neighbour starts anew.
    if (this.#previous !== ZERO_WIDTH_JOINER && !EMOJI_TAIL.test(character)) this.#joiners = 0;
    if (!EMOJI_TAIL.test(character)) this.#base = character;
    this.#previous = character;
    this.#marks = 0;
  }

  #control(code: number): void {
    if (code === 0x0a && this.#rules.newlines) {
      this.text += "\n";
      this.#previous = "";
      this.#base = "";
      this.#marks = 0;
      this.#joiners = 0;
    } else if (code === 0x09 && !this.#rules.name) {
      for (const space of TAB) this.#keep(space);
    } else this.#keep(String.fromCodePoint(code === 0x7f ? 0x2421 : 0x2400 + code));
  }

  #spellOut(code: number): void {
    for (const character of `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`) this.#keep(character);
  }

  #flag(text: string, at: number): number {
    FLAG_WITH_TAGS.lastIndex = at;
    const flag = FLAG_WITH_TAGS.exec(text)?.[0];
    const known = flag !== undefined && RGI_EMOJI.test(flag) ? flag : "\u{1F3F4}";
    this.#keep("\u{1F3F4}");
    this.text += known.slice(2);
    return known.length;
  }

  #joiner(character: string, text: string, at: number): void {
    const next = String.fromCodePoint(text.codePointAt(at + 1) ?? 0);
    const gluesEmoji =
      character === ZERO_WIDTH_JOINER &&
      PICTOGRAPH.test(this.#base) &&
      (this.#previous === this.#base || EMOJI_TAIL.test(this.#previous)) &&
      PICTOGRAPH.test(next) &&
      this.#joiners < JOINERS_PER_EMOJI;
    if (gluesEmoji) {
      this.text += character;
      this.#previous = character;
      this.#joiners += 1;
      return;
    }
    const spells =
      !this.#rules.name && JOINING_SCRIPT.test(this.#previous) && !/^\p{N}$/u.test(this.#previous);
    if (!spells) return;
    this.text += character;
    this.#previous = ZERO_WIDTH_NON_JOINER;
  }

  /** Variation selectors stay where they choose the look of an emoji or of an ideograph. All else unseen goes. */
  #selector(character: string): void {
    const code = character.codePointAt(0) ?? 0;
    const emoji = (code === 0xfe0e || code === 0xfe0f) && EMOJI.test(this.#previous);
    const ideograph =
      code >= 0xe0100 && code <= 0xe01ef && !this.#rules.name && IDEOGRAPH.test(this.#previous);
    if (!emoji && !ideograph) return;
    this.text += character;
    this.#previous = character;
  }

  #mark(character: string): void {
    // A mark without a base would sit on whatever the terminal has to its left.
    if (this.#previous === "") this.#keep(DOTTED_CIRCLE);
    if (this.#marks >= MARKS_PER_BASE) return;
    this.text += character;
    this.#marks += 1;
    this.#previous = character;
    this.#joiners = 0;
  }
}
