// Cuts a text to one short line, to name it in a sentence.

/** The beginning of a text, in one line. */
export function shortened(text: string, most = 60): string {
  const oneLine = text.replaceAll(/\s+/g, " ").trim();
  return oneLine.length > most ? `${oneLine.slice(0, most - 1).toWellFormed()}…` : oneLine;
}
