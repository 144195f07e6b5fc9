// The form in which user names are stored. Both programs map a name where it comes in.

/** Halfwidth and fullwidth forms: the characters with a <narrow> or <wide> decomposition. */
const WIDTH_FORMS = /[\u3000\uff01-\uffee]/gu;

/** A text that the mapping does not change. The test is cheap: the server maps names for each message. */
const PLAIN = /^[\x00-\x7f]*$/;

/** The longest text that can be a name before the mapping, in UTF-16 code units. */
export const LONGEST_ENTERED_NAME = 1024;

/**
 * Maps a name to the form in which it is stored: width mapping and NFC, the mappings of UsernameCasePreserved. Call it
 * wherever a name comes in, so that a name is found however it was typed. It refuses nothing, because an imported name
 * may contain what a new name may not. Idempotent.
 */
export function mapUsername(text: string): string {
  if (PLAIN.test(text) || text.length > LONGEST_ENTERED_NAME) return text;
  return mapWidth(text).normalize("NFC");
}

/** The width mapping alone. */
export function mapWidth(text: string): string {
  return text.replace(WIDTH_FORMS, (character) => character.normalize("NFKC"));
}
