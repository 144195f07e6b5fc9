// Runs one command line, and turns the outcome into the exit code.
import { UsageError } from "../../../command-line/usage-error.ts";
import type { Environment } from "../process/environment.ts";
import { CommandError, Exit, type ExitCode } from "../process/exit.ts";

/**
 * Everything that a command uses of its process is in `environment`, so several command lines can run in one process.
 * @param argv without the program's name
 * @returns the exit code; it does not reject because a command fails
 */
export async function run(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  try {
    // The version is printed without loading the commands.
    if (argv[0] === "--version") return await printVersion(environment);
    const { dispatch } = await import("./dispatch.ts");
    return await dispatch(argv, environment);
  } catch (error) {
    return report(error, environment);
  }
}

async function printVersion(environment: Environment): Promise<ExitCode> {
  const { packageVersion } = await import("../../../command-line/package-files.ts");
  const { Output } = await import("../process/output.ts");
  await new Output(environment, false).exact(`parley ${packageVersion()}`);
  return Exit.DONE;
}

async function report(error: unknown, environment: Environment): Promise<ExitCode> {
  const isExplained = error instanceof CommandError || error instanceof UsageError;
  const { exitCode, message } = isExplained
    ? error
    : (await import("../process/failure.ts")).describeFailure(error);
  const { Output } = await import("../process/output.ts");
  const output = new Output(environment, false);
  const lines = error instanceof CommandError ? error.lines : [message];
  if (message !== "") for (const line of lines) output.notice(line);
  return exitCode;
}
