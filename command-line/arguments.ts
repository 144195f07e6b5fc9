// The command-line parser of all programs: splits the arguments into flags, their values, and words.
import { parseArgs } from "node:util";
import { closest } from "./closest.ts";
import { UsageError } from "./usage-error.ts";

export interface FlagSpec {
  /** The name of the flag, without dashes. */
  readonly name: string;
  /** The single letter that can be used instead of the name. */
  readonly short?: string | undefined;
  /** The placeholder of the flag's value in help and errors. A flag without one is a switch. */
  readonly value?: string | undefined;
  readonly isRepeated?: boolean | undefined;
  /** Whether this switch can also be given as `--no-NAME` and as `--NAME=VALUE`. */
  readonly isNegatable?: boolean | undefined;
}

export interface Arguments {
  /** By flag name: the values in their order. The value of a switch is "true", or "false" if given as `--no-NAME`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** The arguments that are neither flags nor their values, in order. */
  readonly words: readonly string[];
}

/**
 * Reads `--name value`, `--name=value`, `-n value`, `-nvalue` and `--switch`. Flags can be anywhere before `--`; all
 * arguments after it are words. `-` and negative numbers are words, too.
 * @throws UsageError for a flag that is unknown or given twice, lacks its value, or has a value that it does not take
 */
export function readArguments(argv: readonly string[], specs: readonly FlagSpec[]): Arguments {
  const flags = new Map<string, readonly string[]>();
  const words: string[] = [];
  for (const token of tokensOf(argv, specs)) {
    if (token.kind === "word") {
      words.push(token.text);
      continue;
    }
    const { spec } = token;
    if (spec === undefined) throw unknownFlag(token.given, specs);
    const values = flags.get(spec.name) ?? [];
    if (values.length > 0 && spec.isRepeated !== true) throw new UsageError(`--${spec.name} is given twice.`);
    flags.set(spec.name, [...values, givenValue(token, spec)]);
  }
  return { flags, words };
}

export interface FlagToken {
  readonly kind: "flag";
  /** The flag as it was typed, without its value. */
  readonly given: string;
  /** The specification of the flag; undefined if the flag is unknown. */
  readonly spec: FlagSpec | undefined;
  readonly value: string | undefined;
  /** Whether the flag was given as `--no-NAME`. */
  readonly isNegated: boolean;
}

export type Token = FlagToken | { readonly kind: "word"; readonly text: string };

/** The arguments in order, each flag together with its value. Does not check them. */
export function tokensOf(argv: readonly string[], specs: readonly FlagSpec[]): Token[] {
  const { tokens } = parseArgs({
    args: argv.map((argument) => normalized(argument, specs)),
    options: Object.fromEntries(specs.map((spec) => [spec.name, { type: typeOf(spec) }])),
    strict: false,
    tokens: true,
  });
  return tokens.flatMap((token): Token[] => {
    if (token.kind === "option-terminator") return [];
    const argument = argv[token.index] ?? "";
    if (token.kind === "positional") return [{ kind: "word", text: argument }];
    const named = specs.find(({ name }) => name === token.name);
    const negated = specs.find(({ name, isNegatable }) => isNegatable && token.name === `no-${name}`);
    const isNext = token.inlineValue === false;
    return [
      {
        kind: "flag",
        given: argument.split("=")[0] ?? argument,
        spec: named ?? negated,
        value: isNext ? argv[token.index + 1] : token.value,
        isNegated: named === undefined && negated !== undefined,
      },
    ];
  });
}

/**
 * Rewrites an argument for parseArgs, which would read a negative number as a flag, and `-abc` as three flags. Its
 * tokens only point to the arguments, so words and separate values keep their original text.
 */
function normalized(argument: string, specs: readonly FlagSpec[]): string {
  if (/^-\d/.test(argument)) return "0";
  const spec = /^-[^-]/.test(argument) ? specs.find(({ short }) => short === argument[1]) : undefined;
  if (spec === undefined) return argument;
  const attached = argument.slice(2).replace(/^=/, "");
  return argument.length === 2 ? `--${spec.name}` : `--${spec.name}=${attached}`;
}

function typeOf({ value }: FlagSpec): "string" | "boolean" {
  return value === undefined ? "boolean" : "string";
}

function givenValue({ value, isNegated }: FlagToken, spec: FlagSpec): string {
  if (spec.value !== undefined) {
    if (value !== undefined) return value;
    throw new UsageError(`--${spec.name} needs a value: --${spec.name} ${spec.value}.`);
  }
  if (value === undefined) return String(!isNegated);
  if (spec.isNegatable === true && !isNegated) return value;
  throw new UsageError(`--${isNegated ? "no-" : ""}${spec.name} takes no value.`);
}

function unknownFlag(given: string, specs: readonly FlagSpec[]): UsageError {
  const near = closest(
    given.replace(/^-+/, ""),
    specs.map(({ name }) => name),
  );
  const meant = near === undefined ? "" : ` Did you mean --${near}?`;
  return new UsageError(`There is no flag ${given}.${meant} Put -- before words that begin with a dash.`);
}
