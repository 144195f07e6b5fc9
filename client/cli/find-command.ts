// Which word of a command line is the command: the first one, or one behind flags, whose values are none.
import { tokensOf } from "../../command-line/arguments.ts";
import { type Flags, specsOf } from "../../command-line/flags.ts";
import { everyFlag } from "./command/command.ts";
import { commands } from "./commands/table.ts";

/** Where the command stands; -1 where there is none, and it is the chat: HOST PORT, or flags alone. */
export async function commandAt(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first === undefined || isOriginals(argv)) return -1;
  if (!first.startsWith("-")) return 0;
  const end = argv.indexOf("--");
  const chats = await flagsOf("chat");
  let unsure = -1;
  for (const [at, word] of argv.slice(0, end < 0 ? undefined : end).entries()) {
    if (!isCommand(word)) continue;
    const before = argv.slice(0, at);
    if (canStandBefore(before, await flagsOf(word))) return at;
    // What is wrong with the flags is for that command to say.
    if (unsure < 0 && !takesNext(before, chats)) unsure = at;
  }
  return unsure;
}

/** HOST PORT, as the original's client is started: an address, or whatever has a number after it. */
function isOriginals([first = "", second = ""]: readonly string[]): boolean {
  if (first.startsWith("-") || isCommand(first)) return false;
  return /^[\d.]+$|^[\da-f]*:[\da-f:.]*$|^localhost$/i.test(first) || /^[-+]?\d+$/.test(second);
}

function isCommand(name: string): boolean {
  return name === "help" || commands.some((one) => one.name === name);
}

/** The command knows each of these flags, and what comes next is no value of the last. */
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
