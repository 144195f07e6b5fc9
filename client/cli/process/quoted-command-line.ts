// Quotes command lines, so that a person can paste the ones that messages suggest.

/** A command line that a POSIX shell splits into these words. */
export function commandLine(...words: readonly string[]): string {
  return words.map((word) => (/^(?:npx parley|[\w@%+=:,./-]+)$/.test(word) ? word : quoted(word))).join(" ");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
