// Finds a command in the table by its whole name, or says which one was probably meant.
import { closest } from "../../../../command-line/closest.ts";
import type { UsageError } from "../../../../command-line/usage-error.ts";
import { usage } from "../../process/exit.ts";
import { shortened } from "../model/shortened.ts";
import type { ChatCommand } from "./chat-command.ts";

/** Beyond it a word is no slip of the fingers. */
const LONGEST_TYPO = 64;
/** A shorter name is the beginning of too many words. */
const SHORTEST_BEGINNING = 4;

/** By name or alias, exactly as it is written. */
export function findCommand(commands: readonly ChatCommand[], word: string): ChatCommand | undefined {
  return commands.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}

/** In whatever case: what is meant to be private is not to be sent over a slip. */
export function findPrivate(commands: readonly ChatCommand[], word: string): ChatCommand | undefined {
  return findCommand(
    commands.filter(({ name }) => name.endsWith("private")),
    word.toLowerCase(),
  );
}

export function unknownCommand(commands: readonly ChatCommand[], word: string): UsageError {
  const name = word.replace(/^\//, "");
  const near = nearest(commands, name);
  const meant = near === undefined ? undefined : `Did you mean /${near}?`;
  if (word.startsWith("/"))
    return usage(`There is no command ${shortened(word)}. ${meant ?? "/help lists the commands."}`);
  // Without a slash it may well have been the beginning of a message.
  return usage(`Nothing was sent: no conversation is open. ${meant ?? "/open USER opens one."}`);
}

function nearest(commands: readonly ChatCommand[], word: string): string | undefined {
  if (word.length > LONGEST_TYPO) return undefined;
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  // "logoutxyz" is too far from "logout" for a typo, but nothing else was meant.
  const beginnings = names.filter((name) => name.length >= SHORTEST_BEGINNING && word.startsWith(name));
  return closest(word, names) ?? beginnings.sort((a, b) => b.length - a.length)[0];
}
