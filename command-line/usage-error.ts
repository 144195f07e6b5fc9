// The error of a command line that cannot be understood.

/**
 * A command line that cannot be understood. The message is for the person who typed it, and says what to do. Every
 * program exits with this code.
 */
export class UsageError extends Error {
  override name = "UsageError";
  readonly exitCode = 2;
}
