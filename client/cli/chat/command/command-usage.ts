// What a command's usage says of its words: how many there are, and which texts can be one of them.
import type { ChatCommand } from "./chat-command.ts";
import { findCommand, findPrivate } from "./find-chat-command.ts";

type Shape = Pick<ChatCommand, "name" | "usage">;

/** What a word in capitals stands for, where not any text will do. */
const words: Readonly<Record<string, (text: string, commands: readonly Shape[]) => boolean>> = {
  SECS: (text) => /^\d+$/.test(text),
  SINCE: (text) => /^\d+[smhd]?$/.test(text),
  N: (text) => /^\d+$/.test(text),
  ACTION: (text) => /^(list|send|drop)$/.test(text),
  ID: (text) => /^(\d+|all)$/.test(text),
  COMMAND: (text, commands) => commands.some(({ name }) => name === text.replace(/^\//, "")),
};

/** Whether what follows a command's name can be what its usage says, so that the line can be meant as that command. */
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

/** The ways in which given words can stand for those of the usage: optional ones may be left out from either end. */
function alignments(given: readonly string[], names: readonly string[], usage: string): [string, string][][] {
  const pair = (from: number): [string, string][] =>
    given.flatMap((text, index) => {
      const name = names[Math.min(from + index, names.length - 1)];
      return name === undefined ? [] : [[name, text] satisfies [string, string]];
    });
  const optional = usage.startsWith("[") ? Math.max(0, names.length - given.length) : 0;
  return Array.from({ length: optional + 1 }, (_, from) => pair(from));
}

/** Whether a line without its slash would be a command. */
export function isMeant(word: string, rest: string, commands: readonly ChatCommand[]): boolean {
  const shape = findCommand(commands, word) ?? findPrivate(commands, word);
  return shape !== undefined && fits(shape.usage, rest, commands);
}
