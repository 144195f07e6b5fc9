// Makes text from other users and servers safe for a terminal. All text passes through here before it is printed.

/** The most combining marks on one base character; more are dropped, so that a name cannot cover other lines. */
export const MARKS_PER_BASE = 4;

/** The most consecutive joiners in an emoji; the longest standard sequences have three. */
const JOINERS_PER_EMOJI = 5;

const TAB = "    ";
const DOTTED_CIRCLE = "\u{25CC}";
const FIRST_STRONG_ISOLATE = "\u{2068}";
const POP_ISOLATE = "\u{2069}";
const ZERO_WIDTH_NON_JOINER = "\u{200C}";
const ZERO_WIDTH_JOINER = "\u{200D}";

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
/**
 * Embeddings and overrides, which reorder the text around them. They are spelled out, because they are used for
 * attacks.
 */
const OVERRIDE = /^[\u{202A}-\u{202E}]$/u;
const FLAG_WITH_TAGS = /\u{1F3F4}[\u{E0020}-\u{E007E}]+\u{E007F}/uy;
const RIGHT_TO_LEFT =
  /[\u{0590}-\u{08FF}\u{FB1D}-\u{FDFF}\u{FE70}-\u{FEFC}\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** The classes of characters that have to be looked up in the Unicode tables. */
function makePatterns() {
  return {
    printable: /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u,
    mark: /^\p{M}$/u,
    emoji: /^\p{Emoji}$/u,
    pictograph: /^\p{Extended_Pictographic}$/u,
    emojiTail: /^(?:\p{Emoji_Modifier}|\u{FE0F})$/u,
    ideograph: /^\p{Ideographic}$/u,
    invisible: /^\p{Default_Ignorable_Code_Point}$/u,
    rgiEmoji: /^\p{RGI_Emoji}$/v,
    /** Scripts that need the zero-width joiner and non-joiner in their spelling. */
    joiningScript:
      /^[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Mongolian}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}]$/u,
  };
}

/** Made at first use: this takes 20 ms of CPU time, and most texts are plain ASCII. */
let patterns: ReturnType<typeof makePatterns> | undefined;

interface Rules {
  readonly newlines: boolean;
  /** The text is a name, in which no invisible character is kept, not even a joiner. */
  readonly name: boolean;
}

/**
 * Makes a text safe to print. Printable characters are kept, and "\n" if `multiline`. A tab becomes four spaces, CRLF a
 * newline. Control characters become their pictures (ESC is U+241B), lone surrogates U+FFFD. Overrides of direction,
 * private-use and unassigned characters are spelled out as ‹U+202E›. Invisible characters are dropped, except those
 * that emoji and Arabic or Indic spelling need. A line with right-to-left letters is isolated, so that it cannot
 * reorder the text around it. Idempotent; never throws.
 */
export function safeText(text: string, options: { readonly multiline?: boolean } = {}): string {
  return clean(text, { newlines: options.multiline === true, name: false });
}

/** Makes a name or label safe to print: one line, without invisible characters, with plain spaces only. */
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

/**
 * Scans a text once from left to right. Each decision depends on what was kept before, so a second pass changes
 * nothing.
 */
class Scanner {
  text = "";
  readonly #rules: Rules;
  readonly #is: ReturnType<typeof makePatterns>;
  /** The last code point that was kept; "" at the start of a line. */
  #previous = "";
  /** The last kept code point that is not a modifier or selector of an emoji. */
  #base = "";
  #marks = 0;
  #joiners = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
    patterns ??= makePatterns();
    this.#is = patterns;
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
    else if (this.#is.invisible.test(character)) this.#selector(character);
    else if (this.#is.mark.test(character)) this.#mark(character);
    else if (!this.#is.printable.test(character)) this.#spellOut(code);
    else if (this.#rules.name && /^\p{Zs}$/u.test(character)) this.#keep(" ");
    else this.#keep(character);
    return character.length;
  }

  #keep(character: string): void {
    this.text += character;
    // Joiners are counted within one emoji sequence; any other character resets the count.
    if (this.#previous !== ZERO_WIDTH_JOINER && !this.#is.emojiTail.test(character)) this.#joiners = 0;
    if (!this.#is.emojiTail.test(character)) this.#base = character;
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
    const known = flag !== undefined && this.#is.rgiEmoji.test(flag) ? flag : "\u{1F3F4}";
    this.#keep("\u{1F3F4}");
    this.text += known.slice(2);
    return known.length;
  }

  #joiner(character: string, text: string, at: number): void {
    const next = String.fromCodePoint(text.codePointAt(at + 1) ?? 0);
    const gluesEmoji =
      character === ZERO_WIDTH_JOINER &&
      this.#is.pictograph.test(this.#base) &&
      (this.#previous === this.#base || this.#is.emojiTail.test(this.#previous)) &&
      this.#is.pictograph.test(next) &&
      this.#joiners < JOINERS_PER_EMOJI;
    if (gluesEmoji) {
      this.text += character;
      this.#previous = character;
      this.#joiners += 1;
      return;
    }
    const spells =
      !this.#rules.name && this.#is.joiningScript.test(this.#previous) && !/^\p{N}$/u.test(this.#previous);
    if (!spells) return;
    this.text += character;
    this.#previous = ZERO_WIDTH_NON_JOINER;
  }

  /** Keeps a variation selector after an emoji or an ideograph, and drops every other invisible character. */
  #selector(character: string): void {
    const code = character.codePointAt(0) ?? 0;
    const emoji = (code === 0xfe0e || code === 0xfe0f) && this.#is.emoji.test(this.#previous);
    const ideograph =
      code >= 0xe0100 && code <= 0xe01ef && !this.#rules.name && this.#is.ideograph.test(this.#previous);
    if (!emoji && !ideograph) return;
    this.text += character;
    this.#previous = character;
  }

  #mark(character: string): void {
    // A mark without a base would combine with the cell to its left.
    if (this.#previous === "") this.#keep(DOTTED_CIRCLE);
    if (this.#marks >= MARKS_PER_BASE) return;
    this.text += character;
    this.#marks += 1;
    this.#previous = character;
    this.#joiners = 0;
  }
}
