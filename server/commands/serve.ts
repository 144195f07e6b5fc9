// parley-server without a command: serves until it receives a stop signal.

import { readArguments } from "../../command-line/arguments.ts";
import { fileProblemWithPath } from "../../command-line/file-problem.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine, packageVersion } from "../files/package.ts";
import { type LogLevel, type OpenLog, openLog } from "../log.ts";
import { type Config, defaultData, loadConfig, settingFlags } from "../settings/config.ts";
import { describeSettings } from "../settings/help.ts";
import {
  looksLikeNumber,
  type OriginalCommandLine,
  readOriginal,
} from "../settings/original-command-line.ts";
import { type Command, CommandFailure, type Replacements } from "./command.ts";
import type { Io } from "./io.ts";
import { type OpenServer, openServer } from "./open-server.ts";
import { originalsLine } from "./serving/originals-line.ts";
import { startBlock } from "./serving/start-block.ts";

export const command: Command = { help, run };

function help(): string {
  const program = commandLine("parley-server");
  return `Parley: a self-hosted chat service for the terminal.

Usage:
  ${program} [FLAGS]              serve
  ${program} PORT BLOCK_SECONDS TIMEOUT_SECONDS [FLAGS]
                                         serve with the original's rules
  ${program} user COMMAND         manage users
  ${program} invite COMMAND       manage invites for new users
  ${program} logins [NAME]        print the record of log-ins
  ${program} actions              print what administrators changed
  ${program} cert                 print the server's certificate
  ${program} backup FILE          copy the data to a file
  ${program} restore FILE         restore a backup
  ${program} check                check the data
  ${program} COMMAND --help       show the help of a command

The original is the assignment that Parley started from. Its rules, as in
${program} 12000 60 120: all interfaces, --sessions-per-user 1,
--lock strict, --presence-grace 0, a --timeout, and the users of credentials.txt
in the current folder, or else of docs/credentials.txt in the package. A flag
changes one of these rules.

${describeSettings()}

Other flags:
  --help, --version

Each setting can also be given in the environment (PARLEY_LOG_LEVEL=debug) or in
a TOML file (log-level = "debug"). A flag wins over the original's command line,
which wins over the environment, then the file, then the default.
`;
}

async function run(argv: readonly string[], io: Io, { passwordCost, clock }: Replacements): Promise<number> {
  const { flags, words } = readArguments(argv, settingFlags());
  const original = originalOf(words);
  const config = await loadConfig({ flags, original });
  using log = openServerLog(config, io);
  const { promise: ended, resolve: end } = Promise.withResolvers<string | Error>();

  // Listen before the start, so that a stop during the start is orderly too.
  let server: OpenServer | undefined;
  using _ = io.listen({
    onStop: end,
    onHangUp: (isTerminalGone) => {
      if (isTerminalGone) return end("SIGHUP");
      server?.reload().catch((error: unknown) => log.error({ err: error }, "the reload failed"));
    },
    onCrash: (error) => log.fatal({ err: error }, "the server crashed"),
  });

  await using opened = await openServer({ config, log, passwordCost, clock, onFatal: end });
  server = opened;
  const { host, port, fingerprint, data, metricsUrl, sampleUsers } = opened;
  const version = packageVersion();
  log.info({ event: "started", host, port, version, ...(fingerprint && { fingerprint }) }, "started");
  io.print(
    startBlock({
      version,
      host,
      port,
      fingerprint,
      sampleUsers,
      data,
      isDefaultData: data === defaultData(),
      isTemporary: config.ephemeral,
      rules: originalsLine(config, host),
      log: config.logFile,
      metrics: metricsUrl,
      client: commandLine("parley"),
      server: commandLine("parley-server"),
    }),
  );

  const reason = await ended;
  if (reason instanceof Error)
    throw new CommandFailure(`the data can no longer be stored: ${reason.message}`);
  log.info({ event: "stopping", signal: reason }, "stopping");
  return 0;
}

function originalOf(words: readonly string[]): OriginalCommandLine | undefined {
  const [unexpected] = words;
  if (unexpected === undefined) return undefined;
  if (words.some(looksLikeNumber)) return readOriginal(words);
  throw new UsageError(`unexpected "${unexpected}": a command must come first, and settings are flags`);
}

function openServerLog({ logFile: file, logLevel, logStderr, sourceOf }: Config, io: Io): OpenLog {
  const level: LogLevel = logLevel;
  const forPerson = io.isErrorTerminal && !logStderr;
  try {
    return openLog({ level, file, forPerson, writeError: (text) => io.complain(text) });
  } catch (error) {
    throw new UsageError(
      `${sourceOf("logFile")}: ${error instanceof Error ? fileProblemWithPath(error) : String(error)}`,
    );
  }
}
