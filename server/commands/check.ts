// parley-server check: reads all data, and says whether it is whole.
import { existsSync } from "node:fs";
import { readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { dataFiles } from "../files/data-folder.ts";
import { commandLine } from "../files/package.ts";
import { dataOf, loadConfig, settingFlags } from "../settings/config.ts";
import { describedSettings, describeFlags } from "../settings/help.ts";
import { headFileOf } from "../store/sqlite/database/head-file.ts";
import { contentsOf, examineBackup, examineData } from "../store/sqlite/restoring.ts";
import { type Command, CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";
import { contentsText } from "./printing/contents.ts";

export const command: Command = { help, run };

const settings = ["data", "config"] as const;

function help(): string {
  const program = commandLine("parley-server");
  return `Reads all data, while a server runs or not, and changes nothing. It checks the
structure of the database, that every conversation has all its messages, and that
nothing is missing that the server has reported as stored. The exit code is 0 if
the data is whole, and 1 if not.

Usage:
  ${program} check        check the data folder
  ${program} check FILE   check a backup

Flags:
${describeFlags(describedSettings(settings))}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, settingFlags(settings));
  const [file, ...more] = words;
  if (more.length > 0) throw new UsageError("check: expected one file, or none");
  const data = dataOf(await loadConfig({ flags }));
  const checked = file ?? dataFiles(data).database;
  if (file !== undefined && !existsSync(file)) throw new CommandFailure(`${file} does not exist`);
  // The database of a data folder, which can be named too, has a head file beside it; a backup has none.
  const isBackup = file !== undefined && !existsSync(headFileOf(file));
  const findings = isBackup ? examineBackup(checked) : examineData(checked);
  if (findings.length > 0) {
    for (const finding of findings) io.complain(`parley-server: ${finding}\n`);
    return 1;
  }
  // An empty folder has no finding, because a server may start on it.
  if (!existsSync(checked)) throw new CommandFailure(`there is no Parley data in ${data}`);
  io.print(`${checked} is whole. It has ${contentsText(contentsOf(checked))}.\n`);
  return 0;
}
