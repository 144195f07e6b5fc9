// What Tab completes: command names from the table, and user names where a command takes one.
import type { Completion } from "../../terminal/editor/line-editor.ts";
import type { ChatCommand } from "../command/chat-command.ts";
import { findCommand } from "../command/find-chat-command.ts";

/** The candidates are sorted. Undefined if Tab completes nothing. */
export function completeLine(
  before: string,
  commands: readonly ChatCommand[],
  isOpen: boolean,
  usernames: Iterable<string>,
): Completion | undefined {
  const from = Math.max(before.lastIndexOf(" "), before.lastIndexOf("\n")) + 1;
  const word = before.slice(from);
  const isCommand = !isOpen || (before.startsWith("/") && !before.startsWith("//"));
  if (isCommand && from === 0) {
    const slash = word.startsWith("/") ? "/" : "";
    return {
      from,
      candidates: startingWith(
        word,
        commands.map(({ name }) => slash + name),
      ),
    };
  }
  if (isCommand) {
    const [first = "", ...others] = before.slice(0, from).trim().split(/\s+/);
    const command = findCommand(commands, first.replace(/^\//, ""));
    const takes = command?.usage.match(/[A-Z]+/g)?.[others.length];
    if (takes === "COMMAND")
      return {
        from,
        candidates: startingWith(
          word,
          commands.map(({ name }) => name),
        ),
      };
    if (takes === "USER") return { from, candidates: startingWith(word, usernames) };
    if (takes !== "TEXT" && command?.usage.endsWith("TEXT") !== true) return undefined;
  }
  // In a text, a name is completed only after its first letter: Tab must not list all users.
  if (word === "") return undefined;
  return { from, candidates: startingWith(word, usernames) };
}

function startingWith(word: string, candidates: Iterable<string>): string[] {
  const begun = word.toLowerCase();
  const matching = [...candidates].filter((candidate) => candidate.toLowerCase().startsWith(begun));
  return [...new Set(matching)].sort();
}
