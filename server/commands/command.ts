// The shape of a command, and how it fails.
import type { Clock } from "../../time/clock.ts";
import type { PasswordCost } from "../auth/passwords.ts";
import type { Io } from "./io.ts";

export interface Command {
  /** The text for --help. */
  readonly help: () => string;
  /**
   * @returns the exit code: 0 for success, 1 if refused or failed. @throws UsageError (exit 2), CommandFailure (exit 1)
   */
  readonly run: (argv: readonly string[], io: Io, replacements: Replacements) => Promise<number>;
}

/** Parts that tests replace. No flag, environment variable or file sets them. */
export interface Replacements {
  readonly passwordCost?: PasswordCost;
  readonly clock?: Clock;
}

/** The command cannot do what was requested; the text is for the operator. Exit code 1. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
}
