// Finds a command in the table by its whole name, or says which one was probably meant.
import { closest } from "../../../../command-line/closest.ts";
import { type CommandError, usage } from "../../exit.ts";
import type { ChatCommand } from "./command.ts";
import { isLater } from "./later.ts";

/** By name or alias, in whatever case: no two differ only by that. */
export function findCommand(commands: readonly ChatCommand[], word: string): ChatCommand | undefined {
  const name = word.toLowerCase();
  return commands.find((command) => command.name === name || command.aliases?.includes(name) === true);
}

export function unknownCommand(commands: readonly ChatCommand[], word: string): CommandError {
  if (isLater(word.replace(/^\//, ""))) {
    return usage("Private chat is not there yet. Nothing was sent.");
  }
  const near = closest(
    word.replace(/^\//, ""),
    commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  );
  const meant = near === undefined ? undefined : `Did you mean /${near}?`;
  if (word.startsWith("/"))
    return usage(`There is no command ${word}. ${meant ?? "/help lists the commands."}`);
  // Without a slash it may well have been the beginning of a message.
  return usage(`Nothing was sent: no conversation is open. ${meant ?? "/open USER opens one."}`);
}
