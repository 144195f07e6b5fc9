// Finds the word of a command line that names the command: the first word, or one after flags and their values.
import { tokensOf } from "../../../command-line/arguments.ts";
import { type Flags, specsOf } from "../../../command-line/flags.ts";
import { everyFlag } from "../command/command.ts";
import { commands } from "../commands/table.ts";

/** The index of the command's name; -1 for a command line that starts the chat: HOST PORT, or only flags. */
export async function commandAt(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first === undefined || isOriginalCommandLine(argv)) return -1;
  if (!first.startsWith("-")) return 0;
  const end = argv.indexOf("--");
  const chats = await flagsOf("chat");
  let unfitting = -1;
  for (const [at, word] of argv.slice(0, end < 0 ? undefined : end).entries()) {
    if (!isCommand(word)) continue;
    const before = argv.slice(0, at);
    if (canStandBefore(before, await flagsOf(word))) return at;
    // The command does not take these flags. Its error message says so.
    if (unfitting < 0 && !takesNext(before, chats)) unfitting = at;
  }
  return unfitting;
}

/** HOST PORT, the command line of the original's client: an address, or any word followed by a number. */
function isOriginalCommandLine([first = "", second = ""]: readonly string[]): boolean {
  if (first.startsWith("-") || isCommand(first)) return false;
  return /^[\d.]+$|^[\da-f]*:[\da-f:.]*$|^localhost$/i.test(first) || /^[-+]?\d+$/.test(second);
}

function isCommand(name: string): boolean {
  return name === "help" || commands.some((one) => one.name === name);
}

/** Whether the command has each of these flags, and the last of them does not take the next word as its value. */
function canStandBefore(before: readonly string[], flags: Flags): boolean {
  const tokens = tokensOf(before, specsOf(flags));
  const isKnown = tokens.every((token) => token.kind === "word" || token.spec !== undefined);
  return isKnown && !takesNext(before, flags);
}

function takesNext(before: readonly string[], flags: Flags): boolean {
  const last = tokensOf(before, specsOf(flags)).at(-1);
  return last?.kind === "flag" && last.spec?.value !== undefined && last.value === undefined;
}

async function flagsOf(name: string): Promise<Flags> {
  const row = commands.find((one) => one.name === name);
  const { command } = row === undefined ? {} : await row.load();
  return { ...everyFlag, ...command?.flags };
}
