// Shortens a text to one line, to quote it in a sentence.

/** The first `most` code units of the text, with white space collapsed; "…" marks a cut. */
export function shortened(text: string, most = 60): string {
  const oneLine = text.replaceAll(/\s+/g, " ").trim();
  return oneLine.length > most ? `${oneLine.slice(0, most - 1).toWellFormed()}…` : oneLine;
}
