// The escape sequences and control characters that terminals send for keys: those of xterm, rxvt, the Linux console and
// kitty.

export type Key =
  /** One typed code point; the editor joins code points to graphemes. */
  | { readonly kind: "text"; readonly text: string }
  /** A key by name, modifiers first: "enter", "ctrl-a", "alt-enter", "ctrl-shift-left", "f5", "unknown". */
  | { readonly kind: "key"; readonly name: string }
  /** A complete bracketed paste as the terminal sent it; `cut`: its end was dropped. */
  | { readonly kind: "paste"; readonly text: string; readonly cut: boolean }
  /** The terminal's window gained or lost the focus. */
  | { readonly kind: "focus"; readonly focused: boolean };

/** `length` code units that mean a key, the start of a paste, or nothing. */
export interface Sequence {
  readonly length: number;
  readonly means: Key | "paste" | "nothing";
}

/** The longest sequence of a key, code units; a longer one is read as unknown. */
const LONGEST = 64;

const CSI = /\[([0-?]*)([ -/]*)([@-~])/y;
const CSI_UNFINISHED = /^\[[0-?]*[ -/]*$/;

const BY_LETTER: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  E: "begin",
  F: "end",
  H: "home",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
};

const BY_NUMBER: Readonly<Record<number, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

const BY_CODE: Readonly<Record<number, string>> = {
  8: "backspace",
  9: "tab",
  13: "enter",
  27: "escape",
  32: "space",
  127: "backspace",
};

const SHIFT = 1;
const ALT = 2;
const CTRL = 4;
const KEY_RELEASED = 3;

const UNKNOWN: Key = { kind: "key", name: "unknown" };

/** Reads the sequence at `at`, which begins with an ESC or a control character; "more" if it is incomplete. */
export function readSequence(text: string, at: number): Sequence | "more" {
  if (text[at] !== "\x1b") return { length: 1, means: control(text.charCodeAt(at)) };
  const next = text[at + 1];
  switch (next) {
    case undefined:
      return "more";
    case "[":
      return readCsi(text, at);
    case "O":
      return readSs3(text, at);
    case "\x1b":
      return readAfterTwoEscapes(text, at);
    default: {
      const code = text.codePointAt(at + 1) ?? 0;
      const isControl = code < 0x20 || (code >= 0x7f && code <= 0x9f);
      const key = isControl ? control(code) : named(String.fromCodePoint(code));
      return { length: 1 + String.fromCodePoint(code).length, means: key === "nothing" ? key : withAlt(key) };
    }
  }
}

/** ESC ESC [ A is Alt-Up on some terminals. With anything else after it, the first ESC is the Escape key. */
function readAfterTwoEscapes(text: string, at: number): Sequence | "more" {
  const third = text[at + 2];
  if (third === undefined) return "more";
  if (third === "[" || third === "O") {
    const inner = readSequence(text, at + 1);
    if (inner === "more") return "more";
    if (typeof inner.means === "object" && inner.means.kind === "key" && inner.means !== UNKNOWN)
      return { length: inner.length + 1, means: withAlt(inner.means) };
  }
  return { length: 1, means: named("escape") };
}

function readCsi(text: string, at: number): Sequence | "more" {
  CSI.lastIndex = at + 1;
  const match = CSI.exec(text);
  if (match === null) {
    const rest = text.slice(at + 1, at + LONGEST);
    if (rest.length < LONGEST - 1 && CSI_UNFINISHED.test(rest)) return "more";
    // Ends before the first character that is not part of the sequence; that one is read next.
    const length = /^\[[0-?]*[ -/]*/.exec(rest)?.[0].length ?? 1;
    return { length: 1 + length, means: UNKNOWN };
  }
  const [whole, parameters = "", between = "", final = ""] = match;
  const length = 1 + whole.length;
  if (whole === "[[") {
    // The Linux console's function keys: ESC [ [ A.
    const letter = text[at + length];
    if (letter === undefined) return "more";
    const index = "ABCDE".indexOf(letter);
    return index < 0 ? { length, means: UNKNOWN } : { length: length + 1, means: named(`f${index + 1}`) };
  }
  if (between !== "" || /[<=>?]/.test(parameters)) return { length, means: UNKNOWN };
  return { length, means: csiMeaning(parameters, final) };
}

function csiMeaning(parameters: string, final: string): Sequence["means"] {
  const [first = 1, second = 1, third = 0] = parameters
    .split(";")
    .map((part) => Number.parseInt(part, 10) || 0);
  const event = Number(parameters.split(";")[1]?.split(":")[1] ?? 1);
  if (event === KEY_RELEASED) return "nothing";
  switch (final) {
    case "I":
    case "O":
      return parameters === "" ? { kind: "focus", focused: final === "I" } : UNKNOWN;
    case "Z":
      return named("shift-tab");
    case "u":
      return byCode(first, second);
    case "~": {
      if (first === 200) return "paste";
      if (first === 201) return "nothing";
      if (first === 27) return byCode(third, second);
      const name = BY_NUMBER[first];
      return name === undefined ? UNKNOWN : named(modifiers(second) + name);
    }
    default: {
      const name = BY_LETTER[final];
      return name === undefined ? UNKNOWN : named(modifiers(second) + name);
    }
  }
}

function readSs3(text: string, at: number): Sequence | "more" {
  const letter = text[at + 2];
  if (letter === undefined) return "more";
  if (letter === "M") return { length: 3, means: named("enter") };
  const name = BY_LETTER[letter];
  return name === undefined ? { length: 2, means: named("alt-O") } : { length: 3, means: named(name) };
}

/** A key of modifyOtherKeys or kitty's protocol: a code point and modifiers. */
function byCode(code: number, modifier: number): Key {
  const special = BY_CODE[code];
  const pressed = modifiers(modifier);
  if (special !== undefined && (pressed !== "" || special !== "space")) return named(pressed + special);
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code > 0x10ffff) return UNKNOWN;
  if ((code >= 0xd800 && code <= 0xdfff) || (code >= 0xe000 && code <= 0xf8ff)) return UNKNOWN;
  const character = String.fromCodePoint(code);
  if (pressed === "") return { kind: "text", text: character };
  if (pressed === "shift-") return { kind: "text", text: character.toUpperCase() };
  return named(pressed + character);
}

function modifiers(parameter: number): string {
  const bits = Math.max(0, parameter - 1);
  return (bits & CTRL ? "ctrl-" : "") + (bits & ALT ? "alt-" : "") + (bits & SHIFT ? "shift-" : "");
}

function control(code: number): Key | "nothing" {
  if (code >= 0x80) return "nothing";
  switch (code) {
    case 0x00:
      return named("ctrl-space");
    case 0x08:
    case 0x7f:
      return named("backspace");
    case 0x09:
      return named("tab");
    // A line feed is Enter too, because scripts that type into a terminal send it.
    case 0x0a:
    case 0x0d:
      return named("enter");
    default:
      return named(`ctrl-${String.fromCharCode(code + 0x40).toLowerCase()}`);
  }
}

function withAlt(key: Key): Key {
  if (key.kind !== "key") return key;
  const [, before = "", name = ""] = /^((?:ctrl-)?)(.+)$/.exec(key.name) ?? [];
  return named(name.startsWith("alt-") ? key.name : `${before}alt-${name}`);
}

function named(name: string): Key {
  return { kind: "key", name };
}
