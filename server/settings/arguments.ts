// Command line arguments: flags with or without a value, and the rest, with errors that name what was meant.
import { closest } from "../../command-line/closest.ts";

/** What was asked for cannot be understood; the text is for the person who typed it. Exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string | undefined;
  /** Stands for the value in help; without one, the flag is a switch. */
  readonly value?: string | undefined;
  readonly isRepeated?: boolean | undefined;
}

export interface Arguments {
  /** By flag name, the values in their order; a switch has "true" or "false". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/**
 * Reads `--name value`, `--name=value`, `-n value`, `--switch`, `--no-switch`; `--` ends the flags. A lone dash and
 * negative numbers are no flags. @throws UsageError
 */
export function parseArguments(argv: readonly string[], known: readonly Flag[]): Arguments {
  const flags = new Map<string, string[]>();
  const positionals: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") {
      positionals.push(...rest);
      break;
    }
    if (!/^-[^\d]/.test(argument)) {
      positionals.push(argument);
      continue;
    }
    const { flag, given, isNegated, inline } = findFlag(argument, known);
    const value = flag.value === undefined ? switchValue(given, isNegated, inline) : (inline ?? rest.shift());
    if (value === undefined) throw new UsageError(`${given}: ${flag.value} is missing`);
    const values = flags.get(flag.name) ?? [];
    if (values.length > 0 && flag.isRepeated !== true) throw new UsageError(`${given}: given twice`);
    flags.set(flag.name, [...values, value]);
  }
  return { flags, positionals };
}

/** `, did you mean x?`, or nothing. */
export function suggestion(word: string, candidates: readonly string[], prefix = ""): string {
  const meant = closest(word, candidates);
  return meant === undefined ? "" : `, did you mean ${prefix}${meant}?`;
}

interface FoundFlag {
  readonly flag: Flag;
  /** As typed, without its value. */
  readonly given: string;
  readonly isNegated: boolean;
  readonly inline: string | undefined;
}

function findFlag(argument: string, known: readonly Flag[]): FoundFlag {
  const [given = "", inline] = splitOnce(argument, "=");
  if (given.startsWith("--")) {
    const name = given.slice(2);
    const flag = known.find((one) => one.name === name);
    if (flag !== undefined) return { flag, given, isNegated: false, inline };
    const negated = known.find((one) => one.value === undefined && name === `no-${one.name}`);
    if (negated !== undefined) return { flag: negated, given, isNegated: true, inline };
    const names = known.map((one) => one.name);
    throw new UsageError(`${given}: no such flag${suggestion(name, names, "--")}`);
  }
  const flag = known.find((one) => one.short === given.slice(1));
  if (flag === undefined) throw new UsageError(`${given}: no such flag; --help lists them`);
  return { flag, given, isNegated: false, inline };
}

function switchValue(given: string, isNegated: boolean, inline: string | undefined): string {
  if (inline === undefined) return String(!isNegated);
  if (isNegated) throw new UsageError(`${given}: takes no value`);
  return inline;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
