// Runs one command line: finds the command, runs it, and turns the outcome into the exit code.
import { closest } from "../../command-line/closest.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { type CommandRow, commands } from "./commands/table.ts";
import { commandAt } from "./find-command.ts";
import type { Environment } from "./process/environment.ts";
import { CommandError, Exit, type ExitCode, usage } from "./process/exit.ts";
import { Output } from "./process/output.ts";

/**
 * Everything that a command uses of its process is in `environment`, so several command lines can run in one process.
 * @param argv without the program's name
 * @returns the exit code; it does not reject because a command fails
 */
export async function run(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  try {
    return await dispatch(environment, argv);
  } catch (error) {
    // Loaded only now, because it brings all of gRPC with it.
    const { exitCode, message } =
      error instanceof CommandError || error instanceof UsageError
        ? error
        : (await import("./process/explain.ts")).explain(error);
    if (message !== "") new Output(environment, false).notice(message);
    return exitCode;
  }
}

async function dispatch(environment: Environment, argv: readonly string[]): Promise<ExitCode> {
  const [first] = argv;
  if (first === "--version") return version(environment);
  if (first === "--help" || first === "-h") return help(environment, argv.slice(1));
  const at = await commandAt(argv);
  const rest = argv.filter((_, index) => index !== at);
  if (argv[at] === "help") return help(environment, rest);
  // Without a command, or with flags alone, it is the chat.
  const row = find(argv[at] ?? "chat", environment);
  const { command } = await row.load();
  const code = await command.invoke(environment, row.name, rest);
  return code === "help" ? help(environment, [row.name]) : code;
}

function find(name: string, environment: Environment): CommandRow {
  const row = commands.find((one) => one.name === name);
  if (row !== undefined) return row;
  const near = closest(name, [...commands.map((one) => one.name), "help"]);
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  throw usage(`There is no command "${name}".${meant} All of them: ${environment.program} help`);
}

async function help(environment: Environment, [name]: readonly string[]): Promise<ExitCode> {
  const { commandHelp, overview } = await import("./help.ts");
  const { Styled } = await import("./terminal/text/style.ts");
  const output = new Output(environment, false);
  if (name === undefined) await output.line(Styled.of(overview(environment.program, commands)));
  else {
    const row = find(name, environment);
    const { command } = await row.load();
    await output.line(Styled.of(commandHelp(environment.program, row, command)));
  }
  return Exit.DONE;
}

async function version(environment: Environment): Promise<ExitCode> {
  const { packageVersion } = await import("./process/package-file.ts");
  const { line } = await import("./terminal/text/style.ts");
  await new Output(environment, false).line(line`parley ${packageVersion()}`);
  return Exit.DONE;
}
