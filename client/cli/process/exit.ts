// The exit codes, and the error that ends a command with one of them and a message.
import { UsageError } from "../../../command-line/usage-error.ts";

export const Exit = {
  DONE: 0,
  /** The server or a rule of this program refused. */
  REFUSED: 1,
  /** The command line is wrong, or lacks something and no person can be asked for it. */
  USAGE: 2,
  /** There was no connection, so nothing was sent. */
  CANNOT_CONNECT: 3,
  NOT_LOGGED_IN: 4,
  /** The request was sent and no answer arrived: it may or may not have been carried out. */
  OUTCOME_UNKNOWN: 5,
  /** `ask` received no answer in time. */
  NO_ANSWER: 6,
  /** A person cancelled a question; the exit code that shells use for SIGINT. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** Ends a command. The message says what happened and what to do next. If it is "", nothing is printed. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: ExitCode;
  /** The message as it is printed. A newline within one of the lines is printed as its picture. */
  readonly lines: readonly string[];

  constructor(exitCode: ExitCode, message: string | readonly string[], options?: ErrorOptions) {
    const lines = typeof message === "string" ? [message] : message;
    super(lines.join("\n"), options);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/** The command line is wrong: exit 2. */
export function usage(message: string): UsageError {
  return new UsageError(message);
}
