// Matches a text against a command's usage: whether a line without a slash may be meant as that command.
import type { ChatCommand } from "./chat-command.ts";
import { findCommand, findPrivate } from "./find-chat-command.ts";

type Shape = Pick<ChatCommand, "name" | "usage">;

/** The texts that a word of a usage allows; words that are not listed allow any text. */
const words: Readonly<Record<string, (text: string, commands: readonly Shape[]) => boolean>> = {
  SECS: (text) => /^\d+$/.test(text),
  SINCE: (text) => /^\d+[smhd]?$/.test(text),
  N: (text) => /^\d+$/.test(text),
  ACTION: (text) => /^(list|send|drop)$/.test(text),
  ID: (text) => /^(\d+|all)$/.test(text),
  COMMAND: (text, commands) => commands.some(({ name }) => name === text.replace(/^\//, "")),
};

/** Whether `rest`, the text after a command's name, matches its usage. */
export function fits(usage: string, rest: string, commands: readonly Shape[]): boolean {
  const given = rest.split(/\s+/).filter((word) => word !== "");
  const wanted = usage.split(" ").filter((word) => word !== "");
  const names = wanted.map((word) => word.replace(/[[\]]/g, ""));
  // "[ACTION ID]" is one choice of two words.
  const required = usage.replace(/\[[^\]]*\]/g, "").match(/[A-Z]+/g)?.length ?? 0;
  const endsInText = names.at(-1) === "TEXT";
  if (given.length < required || (given.length > names.length && !endsInText)) return false;
  return alignments(given, names, usage).some((row) =>
    row.every(([name, text]) => words[name]?.(text, commands) ?? true),
  );
}

/** The possible pairings of the usage's words with the given ones: optional words may be missing at either end. */
function alignments(given: readonly string[], names: readonly string[], usage: string): [string, string][][] {
  const pair = (from: number): [string, string][] =>
    given.flatMap((text, index) => {
      const name = names[Math.min(from + index, names.length - 1)];
      return name === undefined ? [] : [[name, text] satisfies [string, string]];
    });
  const optional = usage.startsWith("[") ? Math.max(0, names.length - given.length) : 0;
  return Array.from({ length: optional + 1 }, (_, from) => pair(from));
}

/** Whether a line without a slash would be a command with one. */
export function isMeant(word: string, rest: string, commands: readonly ChatCommand[]): boolean {
  const shape = findCommand(commands, word) ?? findPrivate(commands, word);
  return shape !== undefined && fits(shape.usage, rest, commands);
}
