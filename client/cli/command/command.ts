// The definition of a command: its words and flags, its help, and its function. commands/table.ts lists all commands.

import { type Flags, readFlags, toggle, type Values } from "../../../command-line/flags.ts";
import { mapUsername } from "../../../command-line/map-username.ts";
import type { Environment } from "../process/environment.ts";
import { type ExitCode, usage } from "../process/exit.ts";
import { Output } from "../process/output.ts";
import type { accountFlags } from "./account-flags.ts";

/** The flags that every command takes. */
export const everyFlag = {
  json: toggle("Print each result as one line of Protobuf-JSON, and nothing else."),
  help: { ...toggle("Show this help."), short: "h" },
} as const;

/** One run of a command. */
export interface Call<F extends Flags = Record<never, never>> {
  readonly environment: Environment;
  /** The arguments that are not flags, in order. The command's `words` bound their number. */
  readonly words: readonly string[];
  readonly values: Values<F>;
  readonly json: boolean;
  readonly output: Output;
}

/** A run of a command that calls a server. */
export type AccountCall = Call<typeof accountFlags>;

export interface CommandSpec<F extends Flags> {
  /** The forms of the command line after the name, such as "USER TEXT…". */
  readonly forms: readonly string[];
  /** The bounds of the number of words. */
  readonly words: { readonly least: number; readonly most: number };
  readonly flags: F;
  /** The paragraphs of the help after the summary. */
  readonly about: readonly string[];
  /** The message of one line of --json; undefined if the command has no results. */
  readonly json: string | undefined;
  /** The examples of command lines, after the name. */
  readonly examples: readonly string[];
  /** @throws any error that failure.ts describes */
  readonly run: (call: Call<F>) => Promise<ExitCode | undefined>;
}

export interface Command {
  readonly forms: readonly string[];
  readonly flags: Flags;
  readonly about: readonly string[];
  readonly json: string | undefined;
  readonly examples: readonly string[];
  /**
   * Reads the arguments after the name, and runs the command. Resolves to "help" for --help.
   * @throws as CommandSpec.run
   */
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
      // `spec.flags` has read the flags of F.
      const values = given.values as Values<F> & Values<typeof everyFlag>;
      if (values.help === true) return "help";
      const words = withMappedName(forms, given.words);
      const form = forms.map((one) => `${environment.program} ${name} ${one}`.trim()).join(", or ");
      if (words.length < bounds.least) throw usage(`An argument is missing. Usage: ${form}`);
      if (words.length > bounds.most)
        throw usage(`"${words[bounds.most]}" is one word too many. Usage: ${form}`);
      const isJson = values.json === true;
      const output = new Output(environment, isJson);
      const code = await spec.run({ environment, words, values, json: isJson, output });
      // A command that stops when its output fails, such as rpc, may have ended without an error.
      await output.finish();
      return code ?? 0;
    },
  };
}

/** The words, with the word that the first form calls USER in the form in which servers store names. */
function withMappedName(forms: readonly string[], words: readonly string[]): readonly string[] {
  const place = forms[0]?.split(" ").indexOf("USER");
  return words.map((word, index) => (index === place ? mapUsername(word) : word));
}
