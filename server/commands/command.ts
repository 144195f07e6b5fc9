// The shape of a command, and how it fails.
import type { Io } from "./io.ts";

export interface Command {
  /** What it prints for --help. */
  readonly help: () => string;
  /** @returns the exit code: 0 done, 1 refused or failed. @throws UsageError (exit 2), CommandFailure (exit 1) */
  readonly run: (argv: readonly string[], io: Io) => Promise<number>;
}

/** It cannot be done; the text is for the person who asked. Exit code 1. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
}
