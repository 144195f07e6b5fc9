// Spells out commands for a person to paste: every hint that this program gives can be run as it stands.

/** A command line of POSIX shells, which split it into these words again. */
export function commandLine(...words: readonly string[]): string {
  return words.map((word) => (/^(?:npx parley|[\w@%+=:,./-]+)$/.test(word) ? word : quoted(word))).join(" ");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
