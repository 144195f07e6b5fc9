// What a command is: its words and flags, what its help says, and what it does. The table names them all.

import { type Flags, readFlags, toggle, type Values } from "../../../command-line/flags.ts";
import type { Environment } from "../process/environment.ts";
import { type ExitCode, usage } from "../process/exit.ts";
import { Output } from "../process/output.ts";
import type { accountFlags } from "./account-flags.ts";

/** The flags that every command understands. */
export const everyFlag = {
  json: toggle("Print each result as one line of Protobuf-JSON, and nothing else."),
  help: { ...toggle("Show this help."), short: "h" },
} as const;

/** One run of a command. */
export interface Call<F extends Flags = Record<never, never>> {
  readonly environment: Environment;
  /** What is no flag, in order; as many as the command allows. */
  readonly words: readonly string[];
  readonly values: Values<F>;
  readonly json: boolean;
  readonly output: Output;
}

/** A run of a command that talks to a server. */
export type AccountCall = Call<typeof accountFlags>;

export interface CommandSpec<F extends Flags> {
  /** What follows the name, one line for each form, as in "USER TEXT…". */
  readonly forms: readonly string[];
  /** How many words it takes. */
  readonly words: { readonly least: number; readonly most: number };
  readonly flags: F;
  /** Paragraphs for the help, after the summary. */
  readonly about: readonly string[];
  /** Which message a line of --json is; undefined where the command has no results. */
  readonly json: string | undefined;
  /** What follows the name in examples. */
  readonly examples: readonly string[];
  /** @throws whatever failure.ts describes */
  readonly run: (call: Call<F>) => Promise<ExitCode | undefined>;
}

export interface Command {
  readonly forms: readonly string[];
  readonly flags: Flags;
  readonly about: readonly string[];
  readonly json: string | undefined;
  readonly examples: readonly string[];
  /** Reads what follows the name and runs; "help" where that was asked for. @throws CommandError and others */
  readonly invoke: (
    environment: Environment,
    name: string,
    argv: readonly string[],
  ) => Promise<ExitCode | "help">;
}

export function defineCommand<F extends Flags>(spec: CommandSpec<F>): Command {
  const { forms, about, json, examples, words: bounds } = spec;
  return {
    forms,
    about,
    json,
    examples,
    flags: spec.flags,
    invoke: async (environment, name, argv) => {
      const given = readFlags(argv, { ...everyFlag, ...spec.flags });
      // The other flags were read by this command's own table.
      const values = given.values as Values<F> & Values<typeof everyFlag>;
      if (values.help === true) return "help";
      const { words } = given;
      const form = forms.map((one) => `${environment.program} ${name} ${one}`.trim()).join(", or ");
      if (words.length < bounds.least) throw usage(`Something is missing. It is: ${form}`);
      if (words.length > bounds.most)
        throw usage(`"${words[bounds.most]}" is one word too many. It is: ${form}`);
      const isJson = values.json === true;
      const output = new Output(environment, isJson);
      const code = await spec.run({ environment, words, values, json: isJson, output });
      return code ?? 0;
    },
  };
}
