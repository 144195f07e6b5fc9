// Makes stored or foreign text safe to print or log: one line, without characters that a terminal interprets or that
// reorder the line.

/** Replaces control, format and separator characters by their code points, as in \u{1b}. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, codePoint);
}

/** As oneLine, but keeps newlines and tabs: for output of several lines whose parts were made safe. */
export function safeLines(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" || character === "\t" ? character : codePoint(character),
  );
}

function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
