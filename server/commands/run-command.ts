// Runs a command line: finds the command, loads only its module, and reports failures.

import { suggestion } from "../../command-line/closest.ts";
import { fileProblemWithPath } from "../../command-line/file-problem.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine, packageVersion } from "../files/package.ts";
import { describeOriginal, looksLikeNumber } from "../settings/original-command-line.ts";
import type { Command, Replacements } from "./command.ts";
import type { Io } from "./io.ts";

/** The commands by name. They are loaded on demand, because listing users, for example, does not need gRPC. */
const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  serve: () => import("./serve.ts"),
  user: () => import("./user.ts"),
  invite: () => import("./invite.ts"),
  logins: () => import("./logins.ts"),
  actions: () => import("./actions.ts"),
  cert: () => import("./cert.ts"),
  backup: () => import("./backup.ts"),
  check: () => import("./check.ts"),
  restore: () => import("./restore.ts"),
};

/** Errors whose messages are for the operator. Any other error is a bug, and is shown with its stack. */
const FOR_OPERATOR = [
  "CommandFailure",
  "DataFolderLockedError",
  "OtherOwnerError",
  "DatabaseRefusedError",
  "CertificateError",
  "ListenError",
  "StoreUnavailableError",
];

/** @returns the exit code: 0 for success, 1 if refused or failed, 2 if not understood */
export async function runCommandLine(
  argv: readonly string[],
  io: Io,
  replacements: Replacements = {},
): Promise<number> {
  try {
    return await dispatch(argv, io, replacements);
  } catch (error) {
    return explain(error, io);
  }
}

async function dispatch(argv: readonly string[], io: Io, replacements: Replacements): Promise<number> {
  if (argv.includes("--version")) {
    io.print(`parley-server ${packageVersion()}\n`);
    return 0;
  }
  const [first, ...rest] = argv;
  // Without a command, with only flags, or with the numbers of the original's command line, run serve.
  const isNamed = first !== undefined && !first.startsWith("-") && !isOriginal(argv);
  const wantsHelp = first === "help" || argv.some((argument) => argument === "--help" || argument === "-h");
  const name = first === "help" ? (rest[0] ?? "serve") : isNamed ? first : "serve";
  if (!Object.hasOwn(commands, name)) {
    const meant = suggestion(name, Object.keys(commands));
    throw new UsageError(`${name}: no such command${meant === "" ? `\n${describeOriginal()}` : meant}`);
  }
  const { command } = (await commands[name]?.()) ?? {};
  if (command === undefined) throw new Error(`the command ${name} has no module`);
  if (wantsHelp) {
    io.print(command.help());
    return 0;
  }
  return command.run(isNamed ? rest : argv, io, replacements);
}

/** Whether this is meant as the original's command line. If one of its words is wrong, serve reports that. */
function isOriginal([first = "", second = ""]: readonly string[]): boolean {
  return looksLikeNumber(first) || (!Object.hasOwn(commands, first) && looksLikeNumber(second));
}

function explain(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    io.complain(`parley-server: ${error.message}\n${commandLine("parley-server")} --help shows the usage.\n`);
    return 2;
  }
  if (error instanceof Error && (FOR_OPERATOR.includes(error.name) || isOfSystem(error))) {
    io.complain(`parley-server: ${isOfSystem(error) ? fileProblemWithPath(error) : error.message}\n`);
    return 1;
  }
  io.complain(
    `parley-server failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}

/** Whether the error comes from the file system. */
function isOfSystem(error: Error): boolean {
  return "syscall" in error && "path" in error;
}
