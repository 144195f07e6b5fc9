// Finds words that hide the actor of a sentence, in comments, names of tests, and documents.
import { readPage } from "./markdown.ts";

/** Rewrite a sentence that has one of these: name the user, client, caller, peer or reader that acts. */
export const UNCLEAR =
  /\b(?:nobody(?! else)|somebody|anybody|everybody|whoever|told of|comes? of it|com(?:e|es|ing) to nothing|in vain)\b/gi;

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly word: string;
  readonly text: string;
}

export function findUnclear(path: string, text: string): Finding[] {
  return proseOf(path, text).flatMap(({ line, text: prose }) =>
    [...prose.matchAll(UNCLEAR)].map(([word]) => ({
      path,
      line,
      word: word.toLowerCase(),
      text: prose.trim(),
    })),
  );
}

/** The lines of a file that are prose; code and quoted messages in them are blank. */
function proseOf(path: string, text: string): { line: number; text: string }[] {
  const prose = path.endsWith(".md") ? withoutFences(path, text) : text;
  const pick = path.endsWith(".md") ? (line: string) => line : /\.(?:sh|bash)$/.test(path) ? inShell : inCode;
  return prose.split("\n").flatMap((line, index) => {
    const picked = pick(line)?.replaceAll(/`[^`]*`/g, "");
    return picked === undefined ? [] : [{ line: index + 1, text: picked.replaceAll(/[“"][^”"]*[”"]/g, "") }];
  });
}

function withoutFences(path: string, text: string): string {
  return readPage(path, text).fences.reduce(
    (rest, fence) => rest.replace(fence.text, () => "\n".repeat(fence.text.split("\n").length - 1)),
    text,
  );
}

/** A comment, or the name of a test; other strings may be messages and names of users. */
function inCode(line: string): string | undefined {
  const comment = /(?:^|\s)(?:\/\/|\/\*\*?|\*) (.*)$/.exec(line)?.[1];
  const name = /^\s*(?:test|describe)\b[^"`]*["`](.*)["`], /.exec(line)?.[1];
  return comment ?? name;
}

function inShell(line: string): string | undefined {
  return /(?:^|\s)# (.*)$/.exec(line)?.[1] ?? /\bcheck "([^"]*)"/.exec(line)?.[1];
}
