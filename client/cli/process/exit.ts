// The exit codes, and the error that carries one with the sentence a person reads.
import { UsageError } from "../../../command-line/usage-error.ts";

export const Exit = {
  DONE: 0,
  /** The server, or a rule of this program, said no. */
  REFUSED: 1,
  /** The command line cannot be understood, or something is missing that may not be asked for. */
  USAGE: 2,
  /** There was no connection: nothing was sent. */
  CANNOT_CONNECT: 3,
  NOT_LOGGED_IN: 4,
  /** It was sent, and no answer came: it may have been done or not. */
  OUTCOME_UNKNOWN: 5,
  /** `ask` had no answer in time. */
  NO_ANSWER: 6,
  /** A person broke off a question with Ctrl-C; what a shell shows for SIGINT. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** Ends a command. The message says what happened and what to do next; "" ends it without a word. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line is wrong: exit 2. */
export function usage(message: string): UsageError {
  return new UsageError(message);
}
