// User names: the UsernameCasePreserved profile of RFC 8265, and the skeleton that look-alike names share. The code is
// our own, on the runtime's Unicode tables, because npm has no maintained PRECIS package.
import createBidi, { type Bidi } from "bidi-js";
import unhomoglyph from "unhomoglyph";
import { LONGEST_ENTERED_NAME, mapWidth } from "../../command-line/map-username.ts";
import { limits } from "../limits.ts";
import type { Facts } from "../reasons.ts";
import { firstForbidden } from "./precis.ts";

export type Username = { ok: true; username: string } | { ok: false; problem: string; facts?: Facts };

/**
 * Enforces UsernameCasePreserved (RFC 8265 section 3.4): width mapping, NFC, the identifier class of RFC 8264, the
 * bidi rule of RFC 5893, and a length of 1 to 64 bytes. Case is preserved. The operation is idempotent.
 * @returns the name; or a sentence for the user that says what is wrong with it
 */
export function enforceUsername(text: string): Username {
  // Bounds the work: no mapping shortens a text by more than a small factor.
  if (text.length > LONGEST_ENTERED_NAME) return tooLong;
  const prepared = mapWidth(text);
  if (prepared === "") return { ok: false, problem: "A user name has at least one character." };
  const username = prepared.normalize("NFC");
  // Section 3.4.1 requires the check before NFC. It is repeated after NFC, because contexts may have changed.
  const forbidden = firstForbidden(prepared, "identifier") ?? firstForbidden(username, "identifier");
  if (forbidden !== undefined)
    return { ok: false, problem: `A user name cannot contain ${describe(forbidden)}.` };
  if (!satisfiesBidiRule(username)) {
    return {
      ok: false,
      problem: "A user name cannot mix left-to-right and right-to-left letters in that way.",
    };
  }
  if (Buffer.byteLength(username) > limits.usernameBytes) return tooLong;
  return { ok: true, username };
}

const tooLong: Username = {
  ok: false,
  problem: `A user name has at most ${limits.usernameBytes} bytes.`,
  facts: { maximum: limits.usernameBytes, unit: "bytes" },
};

function describe(character: string): string {
  if (character === " ") return "a space";
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `"${character}" (${code})` : `the character ${code}`;
}

// The package's types declare a default export, but the module itself is the function.
const bidiFactory = createBidi as unknown as typeof createBidi.default;
let bidi: Bidi | undefined;

/** RFC 5893 section 2. A text with a right-to-left character must begin with one; other texts always satisfy the rule. */
function satisfiesBidiRule(text: string): boolean {
  // No character below U+0590 is written from right to left, so most names need no tables.
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
 * The skeleton of a name: names that differ only in case or in look-alike letters have the same one. It is built from
 * the confusables of UTS #39 (section 4), with case folded. Compare skeletons; do not display them. It accepts any
 * text.
 */
export function skeleton(username: string): string {
  const folded = foldCase(username.normalize("NFKD"));
  return Array.from(folded, letterSkeleton).join("").normalize("NFD");
}

function foldCase(text: string): string {
  // Converting to upper case first makes the sharp s equal to "SS", and both small sigmas equal to each other.
  return text.toUpperCase().toLowerCase().normalize("NFD");
}

/** The Latin letter that a folded letter resembles in its small or capital form, or else the letter itself. */
function letterSkeleton(letter: string): string {
  const small = foldCase(unhomoglyph(letter));
  const capital = foldCase(unhomoglyph(letter.toUpperCase()));
  const likeness = !isAscii(small) && isAscii(capital) ? capital : small;
  // Capital i resembles small l, and case is folded, so i I l L 1 | all have the same skeleton.
  return likeness.replaceAll("i", "l");
}

function isAscii(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text);
}
