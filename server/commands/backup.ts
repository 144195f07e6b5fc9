// parley-server backup: copies the data to a file, while a server runs or not.
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { dataFiles } from "../files/data-folder.ts";
import { commandLine } from "../files/package.ts";
import { dataOf, loadConfig, settingFlags } from "../settings/config.ts";
import { describedSettings, describeFlags } from "../settings/help.ts";
import { backupData, contentsOf } from "../store/sqlite/restoring.ts";
import { type Command, CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";
import { contentsText } from "./printing/contents.ts";

export const command: Command = { help, run };

const settings = ["data", "config"] as const;

function help(): string {
  return `Copies the data, as it is at one moment, to a new file that only its owner can
read. A running server goes on. The copy is verified before it gets its name; an
existing file is not replaced.

Usage:
  ${commandLine("parley-server")} backup FILE

Flags:
${describeFlags(describedSettings(settings))}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, settingFlags(settings));
  const [word, ...more] = words;
  if (word === undefined || more.length > 0) throw new UsageError("backup: expected the name of a new file");
  const file = resolve(word);
  const data = dataOf(await loadConfig({ flags }));
  const { database, tlsFolder } = dataFiles(data);
  if (!existsSync(database)) {
    throw new CommandFailure(`there is no Parley data in ${data}; give another folder with --data`);
  }
  if (!existsSync(dirname(file))) throw new CommandFailure(`the folder ${dirname(file)} does not exist`);
  try {
    backupData(database, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new CommandFailure(`${file} exists; a backup does not replace a file. Choose another name.`);
  }
  io.print(`${basename(file)} in ${dirname(file)} has ${contentsText(contentsOf(file))}. It is verified.\n`);
  io.complain(
    `Note: it does not contain ${tlsFolder}, with the key that clients know. Copy this folder too.\n`,
  );
  return 0;
}
