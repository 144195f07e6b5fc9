// User names: the UsernameCasePreserved profile of RFC 8265, and the skeleton that look-alike names share. npm has no
// maintained PRECIS package, hence our own code, from the runtime's Unicode tables.
import createBidi, { type Bidi } from "bidi-js";
import unhomoglyph from "unhomoglyph";
import { limits } from "../limits.ts";
import { firstForbidden } from "./precis.ts";

export type Username = { ok: true; username: string } | { ok: false; problem: string };

/** Halfwidth and fullwidth forms: the characters with a <narrow> or <wide> decomposition. */
const WIDTH_FORMS = /[\u3000\uff01-\uffee]/gu;

/**
 * Enforces UsernameCasePreserved (RFC 8265 section 3.4): width mapping, NFC, the identifier class of RFC 8264 and the
 * bidi rule of RFC 5893; then 1 to 64 bytes. Case stays. Enforcing the result again gives the result.
 * The problem is a sentence for the person who chose the name.
 */
export function enforceUsername(text: string): Username {
  // No mapping makes a text shorter by more than a few times, and huge ones are not worth the work.
  if (text.length > 16 * limits.usernameBytes) return { ok: false, problem: tooLong };
  const prepared = text.replace(WIDTH_FORMS, (character) => character.normalize("NFKC"));
  if (prepared === "") return { ok: false, problem: "A user name has at least one character." };
  const username = prepared.normalize("NFC");
  // Section 3.4.1 asks before NFC; afterwards as well, since a context may have changed.
  const forbidden = firstForbidden(prepared, "identifier") ?? firstForbidden(username, "identifier");
  if (forbidden !== undefined)
    return { ok: false, problem: `A user name cannot contain ${describe(forbidden)}.` };
  if (!satisfiesBidiRule(username)) {
    return {
      ok: false,
      problem: "A user name cannot mix left-to-right and right-to-left letters in that way.",
    };
  }
  if (Buffer.byteLength(username) > limits.usernameBytes) return { ok: false, problem: tooLong };
  return { ok: true, username };
}

/** Words that programs write where a name could stand, or that a shell takes for something else. */
const RESERVED = ["you", "everyone", "error", "parley", "server", "system"];

/**
 * Why a new name would mislead people or programs, though RFC 8265 allows it; undefined where it would not. For
 * whoever signs up or is added: names of an import are taken as they are.
 */
export function misleading(username: string): string | undefined {
  const looks = skeleton(username);
  if (RESERVED.some((word) => skeleton(word) === looks))
    return `"${username}" is a word that programs use themselves.`;
  if (/[:/;"'`\\<>]/.test(username)) return "A user name cannot contain any of : / ; \" ' ` \\ < >.";
  if (/^[-.#*]/.test(username)) return "A user name cannot begin with - . # or *.";
  if (/\p{M}{4}/u.test(username)) return "A user name cannot stack more than three marks on a letter.";
  return undefined;
}

const tooLong = `A user name has at most ${limits.usernameBytes} bytes.`;

function describe(character: string): string {
  if (character === " ") return "a space";
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `"${character}" (${code})` : `the character ${code}`;
}

// The package's types say that its module has a default export; what it really exports is the function.
const bidiFactory = createBidi as unknown as typeof createBidi.default;
let bidi: Bidi | undefined;

/** RFC 5893 section 2; it concerns only texts with a right-to-left character, which then must begin with one. */
function satisfiesBidiRule(text: string): boolean {
  // Below U+0590 nothing is written from right to left; spares nearly everyone the tables.
  if (!/[\u0590-\u{10ffff}]/u.test(text)) return true;
  bidi ??= bidiFactory();
  const classes = bidi;
  const types = Array.from(text, (character) => classes.getBidiCharTypeName(character));
  if (!types.some((type) => type === "R" || type === "AL" || type === "AN")) return true;
  const [first] = types;
  if (first !== "R" && first !== "AL") return false;
  const allowed = ["R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"];
  if (!types.every((type) => allowed.includes(type))) return false;
  const last = types.findLast((type) => type !== "NSM") ?? "NSM";
  if (!["R", "AL", "EN", "AN"].includes(last)) return false;
  return !(types.includes("EN") && types.includes("AN"));
}

/**
 * What a name looks like: names that differ only in case or by look-alike letters have the same skeleton. Made from
 * the confusables of UTS #39 (section 4), folded so that it is the same for every case of a letter. For comparing,
 * never for showing; any text has one.
 */
export function skeleton(username: string): string {
  const folded = foldCase(username.normalize("NFKD"));
  return Array.from(folded, letterSkeleton).join("").normalize("NFD");
}

function foldCase(text: string): string {
  // By way of upper case: the sharp s and "SS", and both small sigmas, come out equal.
  return text.toUpperCase().toLowerCase().normalize("NFD");
}

/** One folded letter. Small or capital, it stands for the Latin letter that it can be taken for. */
function letterSkeleton(letter: string): string {
  const small = foldCase(unhomoglyph(letter));
  const capital = foldCase(unhomoglyph(letter.toUpperCase()));
  const likeness = !isAscii(small) && isAscii(capital) ? capital : small;
  // Capital i and small l are the classic pair, and case must not tell names apart: so all of i I l L 1 | are one.
  return likeness.replaceAll("i", "l");
}

function isAscii(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text);
}
