// Finds the command that a command line names, and runs it or prints its help.
import { closest } from "../../../command-line/closest.ts";
import { type CommandRow, commands } from "../commands/table.ts";
import type { Environment } from "../process/environment.ts";
import { Exit, type ExitCode, usage } from "../process/exit.ts";
import { Output } from "../process/output.ts";
import { commandAt } from "./find-command.ts";

/** @throws CommandError, and every other error that failure.ts describes */
export async function dispatch(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  const [first] = argv;
  if (first === "--help" || first === "-h") return help(environment, argv.slice(1));
  const at = await commandAt(argv);
  const rest = argv.filter((_, index) => index !== at);
  if (argv[at] === "help") return help(environment, rest);
  // A command line without a command, or with only flags, starts the chat.
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
  throw usage(`There is no command "${name}".${meant} List of commands: ${environment.program} help`);
}

async function help(environment: Environment, [name]: readonly string[]): Promise<ExitCode> {
  const { commandHelp, overview } = await import("./help.ts");
  const { Styled } = await import("../terminal/text/style.ts");
  const output = new Output(environment, false);
  if (name === undefined) await output.line(Styled.multiline(overview(environment.program, commands)));
  else {
    const row = find(name, environment);
    const { command } = await row.load();
    await output.line(Styled.multiline(commandHelp(environment.program, row, command)));
  }
  return Exit.DONE;
}
