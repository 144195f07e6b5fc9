// The command line of the programs that measure: each prints its usage on --help, and on a mistake.
import { parseArgs } from "node:util";
import { UsageError } from "../command-line/usage-error.ts";

export interface Usage<Flag extends string> {
  /** How to start the program, without its flags. */
  readonly command: string;
  /** What it measures, in a sentence or two. */
  readonly what: string;
  /** The flags, which all take a number above 0, with their defaults. */
  readonly flags: Readonly<Record<Flag, number>>;
  /** The words that the program takes, in any number. */
  readonly words?: readonly string[];
}

/** Reads the command line of this process. Ends the process on --help, and on a mistake with exit code 2. */
export function readCommandLine<Flag extends string>(
  usage: Usage<Flag>,
): { readonly numbers: Readonly<Record<Flag, number>>; readonly words: readonly string[] } {
  try {
    const { values, positionals } = parsed(usage.flags);
    if (values.help === true) {
      process.stdout.write(textOf(usage));
      process.exit(0);
    }
    const unknown = positionals.find((word) => usage.words?.includes(word) !== true);
    if (unknown !== undefined) throw new UsageError(`This program does not take the word "${unknown}".`);
    const numbers: Record<Flag, number> = { ...usage.flags };
    for (const name of Object.keys(usage.flags) as Flag[]) {
      numbers[name] = Number(values[name] ?? usage.flags[name]);
      if (!(numbers[name] > 0)) throw new UsageError(`--${name} must be a number above 0.`);
    }
    return { numbers, words: positionals };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${textOf(usage)}`);
    process.exit(2);
  }
}

/** @throws UsageError */
function parsed(flags: Readonly<Record<string, number>>): {
  values: Readonly<Record<string, string | boolean | undefined>>;
  positionals: string[];
} {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs<{
      options: Record<string, { type: "string" | "boolean"; short?: string }>;
      allowPositionals: true;
    }>({
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    // Node adds how to give a word that begins with "-", which is never what was meant.
    const [problem] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw new UsageError(`${problem}.`);
  }
}

function textOf({ command, what, flags, words }: Usage<string>): string {
  const lines = Object.entries(flags).map(([name, value]) => `  --${name} N   by default ${value}\n`);
  const list =
    words === undefined ? "" : `\nWORD is any of: ${words.join(", ")}. By default it takes them all.\n`;
  return `${what}\n\n  ${command}${lines.length > 0 ? " [FLAGS]" : ""}${words ? " [WORD...]" : ""}\n${lines.length > 0 ? `\n${lines.join("")}` : ""}${list}`;
}
