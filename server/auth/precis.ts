// RFC 8264 (PRECIS) for single code points: their derived property, and the contextual rules.

/** RFC 8264 section 8; "SPECIAL" is its "ID_DIS or FREE_PVAL": allowed in free text, but not in an identifier. */
export type DerivedProperty = "PVALID" | "SPECIAL" | "CONTEXT" | "DISALLOWED" | "UNASSIGNED";

export type PrecisClass = "identifier" | "freeform";

// Exceptions (F), RFC 8264 section 9.6. BackwardCompatible (G) is empty.
const VALID_BY_EXCEPTION = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u;
const CONTEXT_BY_EXCEPTION = /[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]/u;
const DISALLOWED_BY_EXCEPTION = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;

const UNASSIGNED = /\p{Unassigned}/u;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;
const ASCII7 = /[\u0021-\u007e]/u;
const JOIN_CONTROL = /\p{Join_Control}/u;
// Hangul_Syllable_Type L, V and T: the conjoining jamo blocks.
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}|\p{Noncharacter_Code_Point}/u;
const CONTROL = /\p{Control}/u;
const LETTER_DIGIT = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
const OTHER_LETTER_DIGIT = /[\p{Lt}\p{Nl}\p{No}\p{Me}]/u;
const SPACE_SYMBOL_PUNCTUATION = /[\p{Zs}\p{S}\p{P}]/u;

/** The derived property of one code point, by the steps of RFC 8264 section 8, in their order. */
export function derivedProperty(character: string): DerivedProperty {
  if (VALID_BY_EXCEPTION.test(character)) return "PVALID";
  if (CONTEXT_BY_EXCEPTION.test(character)) return "CONTEXT";
  if (DISALLOWED_BY_EXCEPTION.test(character)) return "DISALLOWED";
  if (UNASSIGNED.test(character) && !NONCHARACTER.test(character)) return "UNASSIGNED";
  if (ASCII7.test(character)) return "PVALID";
  if (JOIN_CONTROL.test(character)) return "CONTEXT";
  if (OLD_HANGUL_JAMO.test(character)) return "DISALLOWED";
  if (IGNORABLE.test(character)) return "DISALLOWED";
  if (CONTROL.test(character)) return "DISALLOWED";
  if (character.normalize("NFKC") !== character) return "SPECIAL";
  if (LETTER_DIGIT.test(character)) return "PVALID";
  if (OTHER_LETTER_DIGIT.test(character)) return "SPECIAL";
  if (SPACE_SYMBOL_PUNCTUATION.test(character)) return "SPECIAL";
  return "DISALLOWED";
}

/**
 * The first character of the text that the class does not allow (RFC 8264 section 4.2 for the identifier class, 4.3 for
 * the freeform class), or undefined if it allows all of them.
 */
export function firstForbidden(text: string, precisClass: PrecisClass): string | undefined {
  const characters = [...text];
  return characters.find((character, index) => {
    const property = derivedProperty(character);
    if (property === "CONTEXT") return !isAllowedInContext(characters, index);
    return property !== "PVALID" && !(property === "SPECIAL" && precisClass === "freeform");
  });
}

/** The contextual rules of RFC 5892 appendix A. */
function isAllowedInContext(characters: readonly string[], index: number): boolean {
  const before = characters[index - 1] ?? "";
  const after = characters[index + 1] ?? "";
  const character = characters[index] ?? "";
  switch (character) {
    // A.1, A.2: the joiners, after a virama. A.1 also allows a non-joiner between letters that would join. That case
    // is refused, because the runtime does not provide Joining_Type.
    case "\u200c":
    case "\u200d":
      return isVirama(before);
    // A.3: the middle dot of Catalan, between two l.
    case "\u00b7":
      return before === "l" && after === "l";
    // A.4: the Greek keraia.
    case "\u0375":
      return /\p{Script=Greek}/u.test(after);
    // A.5, A.6: Hebrew geresh and gershayim.
    case "\u05f3":
    case "\u05f4":
      return /\p{Script=Hebrew}/u.test(before);
    // A.7: the katakana middle dot, in Japanese text.
    case "\u30fb":
      return characters.some((other) =>
        /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(other),
      );
    // A.8, A.9: Arabic-Indic digits and extended Arabic-Indic digits must not be mixed.
    default:
      return character <= "\u0669"
        ? !characters.some((other) => other >= "\u06f0" && other <= "\u06f9")
        : !characters.some((other) => other >= "\u0660" && other <= "\u0669");
  }
}

/**
 * Whether Canonical_Combining_Class is 9 (Virama). The runtime does not provide the class, but canonical ordering
 * reveals it: normalization moves a mark behind another of a lower class. U+3099 has class 8, U+05B0 class 10.
 */
function isVirama(character: string): boolean {
  const isAbove8 = `${character}\u3099`.normalize("NFD") !== `${character.normalize("NFD")}\u3099`;
  const isBelow10 = `\u05b0${character}`.normalize("NFD") !== `\u05b0${character.normalize("NFD")}`;
  return character !== "" && isAbove8 && isBelow10;
}
