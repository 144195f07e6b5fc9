// Finds a command in the table by its whole name, or suggests the closest one.
import { closest } from "../../../../command-line/closest.ts";
import type { UsageError } from "../../../../command-line/usage-error.ts";
import { usage } from "../../process/exit.ts";
import { shortened } from "../../terminal/text/shortened.ts";
import type { ChatCommand } from "./chat-command.ts";

/** The longest word that may be a mistyped command, characters. */
const LONGEST_TYPO = 64;
/** The shortest command name to look for at the beginning of a word; shorter ones begin too many ordinary words. */
const SHORTEST_BEGINNING = 4;

/** Finds a command by name or alias, case-sensitively. */
export function findCommand(commands: readonly ChatCommand[], word: string): ChatCommand | undefined {
  return commands.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}

/** Finds a command of private chats in any case: a line meant to be private must not be sent by mistake. */
export function findPrivate(commands: readonly ChatCommand[], word: string): ChatCommand | undefined {
  return findCommand(
    commands.filter(({ name }) => name.endsWith("private")),
    word.toLowerCase(),
  );
}

export function unknownCommand(commands: readonly ChatCommand[], word: string): UsageError {
  const name = word.replace(/^\//, "");
  const near = nearest(commands, name);
  const suggestion = near === undefined ? undefined : `Did you mean /${near}?`;
  const unknown = `Unknown command ${shortened(word)}.`;
  if (word.startsWith("/")) return usage(`${unknown} ${suggestion ?? "/help lists the commands."}`);
  // Without a slash the line may have been meant as a message.
  const unsent = "Nothing was sent, because no conversation is open: /open USER opens one.";
  return usage(`${unknown} ${suggestion ?? unsent}`);
}

function nearest(commands: readonly ChatCommand[], word: string): string | undefined {
  if (word.length > LONGEST_TYPO) return undefined;
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  // "logoutxyz" is too far from "logout" for the closest name, but begins with it.
  const beginnings = names.filter((name) => name.length >= SHORTEST_BEGINNING && word.startsWith(name));
  return closest(word, names) ?? beginnings.sort((a, b) => b.length - a.length)[0];
}
