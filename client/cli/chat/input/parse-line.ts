// Decides whether an entered line is a message or a command.
import { type ChatCommand, splitWord } from "../command/chat-command.ts";
import { isMeant } from "../command/command-usage.ts";
import { findCommand } from "../command/find-chat-command.ts";

export type ParsedLine =
  | { readonly kind: "nothing" }
  | { readonly kind: "message"; readonly text: string }
  /** A message that would be a command with a slash in front; `word` is its first word. */
  | { readonly kind: "doubtful"; readonly text: string; readonly word: string }
  | { readonly kind: "command"; readonly command: ChatCommand; readonly rest: string }
  /** A line that begins like a command, which must not be sent. */
  | { readonly kind: "unknown-command"; readonly word: string };

/**
 * With no conversation open, a line is a command, with or without a slash. With one open, it is a message, verbatim; a
 * command needs the slash, and `//word` sends `/word`. A blank line is ignored.
 */
export function parseLine(text: string, commands: readonly ChatCommand[], isOpen: boolean): ParsedLine {
  if (text.trim() === "") return { kind: "nothing" };
  const { word, rest = "" } = splitWord(text);
  if (isOpen && !text.startsWith("/")) {
    return isMeant(word, rest, commands) ? { kind: "doubtful", text, word } : { kind: "message", text };
  }
  if (isOpen && text.startsWith("//")) return { kind: "message", text: text.slice(1) };
  const command = findCommand(commands, word.replace(/^\//, ""));
  if (command === undefined) return { kind: "unknown-command", word };
  return { kind: "command", command, rest };
}
