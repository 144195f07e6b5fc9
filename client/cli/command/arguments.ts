// Reads a command line by a command's own flags: what is a flag, what is a word, and what is wrong with it.
import { closest } from "../../../command-line/closest.ts";
import { usage } from "../process/exit.ts";

export interface Flag<T> {
  /** What stands for its value in the help; without it the flag takes none. */
  readonly value?: string;
  /** A single letter. */
  readonly short?: string;
  readonly help: string;
  /** @throws CommandError (usage) where the text will not do; it need not name the flag */
  readonly read: (text: string) => T;
}

/** By name, without the dashes. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** What was given; a flag that was not is not there. */
export type Values<F extends Flags> = { readonly [K in keyof F]?: F[K] extends Flag<infer T> ? T : never };

export interface Arguments<F extends Flags> {
  /** What is no flag, in order. */
  readonly words: readonly string[];
  readonly values: Values<F>;
}

/** A flag that is there or not. */
export function toggle(help: string): Flag<true> {
  return { help, read: () => true };
}

export function text(value: string, help: string): Flag<string> {
  return {
    value,
    help,
    read: (given) => {
      if (given === "") throw usage("it is empty");
      return given;
    },
  };
}

/**
 * Flags may stand anywhere; all after "--" are words, and so are "-" and negative numbers.
 * @throws CommandError (usage) for a flag that is unknown, given twice, or without or with a wrong value
 */
export function readArguments<F extends Flags>(argv: readonly string[], flags: F): Arguments<F> {
  const words: string[] = [];
  const values: Record<string, unknown> = {};
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? "";
    if (argument === "--") {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (!isFlag(argument)) {
      words.push(argument);
      continue;
    }
    const { name, flag, attached } = findFlag(argument, flags);
    if (name in values) throw usage(`${shown(name)} is given twice.`);
    if (flag.value === undefined) {
      if (attached !== undefined) throw usage(`${shown(name)} takes no value.`);
      values[name] = flag.read("");
      continue;
    }
    const given = attached ?? argv[++at];
    if (given === undefined) throw usage(`${shown(name)} needs a value: ${shown(name)} ${flag.value}.`);
    values[name] = readValue(name, flag, given);
  }
  return { words, values: values as Values<F> };
}

/** "-" and negative numbers are words. */
export function isFlag(argument: string): boolean {
  return /^-[^\d]/.test(argument);
}

export interface Found {
  readonly name: string;
  readonly flag: Flag<unknown>;
  /** Its value, where that is not the next argument. */
  readonly attached: string | undefined;
}

/** The flag that an argument names; undefined where it is none of them. */
export function flagIn(argument: string, flags: Flags): Found | undefined {
  if (argument.startsWith("--")) {
    const [name = "", ...rest] = argument.slice(2).split("=");
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag !== undefined)
      return { name, flag, attached: argument.includes("=") ? rest.join("=") : undefined };
  } else {
    for (const [name, flag] of Object.entries(flags)) {
      if (flag.short === undefined || argument[1] !== flag.short) continue;
      return { name, flag, attached: argument.length > 2 ? argument.slice(2) : undefined };
    }
  }
  return undefined;
}

function findFlag(argument: string, flags: Flags): Found {
  const found = flagIn(argument, flags);
  if (found === undefined) throw unknownFlag(argument.split("=")[0] ?? argument, Object.keys(flags));
  return found;
}

function unknownFlag(given: string, names: readonly string[]): Error {
  const near = closest(given.replace(/^-+/, ""), names);
  const meant = near === undefined ? "" : ` Did you mean --${near}?`;
  return usage(`There is no flag ${given} here.${meant} Put -- before words that begin with a dash.`);
}

function readValue(name: string, flag: Flag<unknown>, given: string): unknown {
  try {
    return flag.read(given);
  } catch (error) {
    throw usage(`${shown(name)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function shown(name: string): string {
  return `--${name}`;
}
