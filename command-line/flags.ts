// Flags with typed values: each flag of a command says how its text is read.
import { type FlagSpec, readArguments } from "./arguments.ts";
import { UsageError } from "./usage-error.ts";

export interface Flag<T> {
  /** The placeholder of the flag's value in the help. A flag without one takes no value. */
  readonly value?: string;
  /** The single letter that can be used instead of the name. */
  readonly short?: string;
  readonly help: string;
  /** @throws UsageError if the text is not valid; the message need not name the flag */
  readonly read: (text: string) => T;
}

/** Flags by name, without dashes. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The values of the flags that were given; a flag that was not given has no key. */
export type Values<F extends Flags> = { readonly [K in keyof F]?: F[K] extends Flag<infer T> ? T : never };

export interface FlagsAndWords<F extends Flags> {
  /** The arguments that are neither flags nor their values, in order. */
  readonly words: readonly string[];
  readonly values: Values<F>;
}

/** A flag without a value. */
export function toggle(help: string): Flag<true> {
  return { help, read: () => true };
}

/** A flag whose value is any text that is not empty. */
export function text(value: string, help: string): Flag<string> {
  return {
    value,
    help,
    read: (given) => {
      if (given === "") throw new UsageError("it is empty");
      return given;
    },
  };
}

/** @throws UsageError like readArguments, and for a value that is not valid */
export function readFlags<F extends Flags>(argv: readonly string[], flags: F): FlagsAndWords<F> {
  const { flags: given, words } = readArguments(argv, specsOf(flags));
  const values = Object.fromEntries(
    Array.from(given, ([name, [first = ""]]) => [name, readValue(name, flags, first)]),
  );
  return { words, values: values as Values<F> };
}

/** The same flags as a list, for tokensOf. */
export function specsOf(flags: Flags): FlagSpec[] {
  return Object.entries(flags).map(([name, { short, value }]) => ({ name, short, value }));
}

function readValue(name: string, flags: Flags, given: string): unknown {
  try {
    return flags[name]?.read(given);
  } catch (error) {
    throw new UsageError(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
