// Removes the byte order mark that Windows programs write before a text.

/** The text without a byte order mark (U+FEFF) at its start. Call it once, for the start of an input. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}
