// parley-server restore: replaces the data by a backup, or accepts the data that is there. Either gets a new server id.
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { dataFiles } from "../files/data-folder.ts";
import { commandLine } from "../files/package.ts";
import { dataOf, loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import { lockDataFolder } from "../store/sqlite/database/lock.ts";
import { DatabaseRefusedError } from "../store/sqlite/database/refused.ts";
import { acceptData, contentsOf, restoreData, verifyBackup } from "../store/sqlite/restoring.ts";
import { type Command, CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";
import { contentsText } from "./printing/contents.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  {
    name: "accept",
    isNegatable: true,
    help: "Go on with the data that is there, even if it is refused.",
  },
];
const settings = ["data", "config"] as const;

function help(): string {
  const program = commandLine("parley-server");
  return `Restores the data of a stopped server. The data gets a new id, and then
clients discard what they know of the old data. Replaced files are kept under
names that end with the time.

Usage:
  ${program} restore FILE       replace the data by a backup
  ${program} restore --accept   accept the data that is there

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  const accepts = flags.get("accept")?.[0] === "true";
  const [backup] = words;
  if (words.length > 1 || accepts === (backup !== undefined)) {
    throw new UsageError("restore: expected either a file or --accept");
  }
  const data = dataOf(await loadConfig({ flags }));
  const { database } = dataFiles(data);
  // A mistyped folder would otherwise become a new server.
  if (accepts && !existsSync(data)) {
    throw new CommandFailure(`there is no Parley data in ${data}; give another folder with --data`);
  }
  if (backup !== undefined) checkBackup(backup);
  using _lock = await lockDataFolder(data);
  const before = backup === undefined ? undefined : describeContents(database);
  const { serverId, group, lastGroup, putAside } =
    backup === undefined ? acceptData(database) : restoreData(resolve(backup), database);
  const lost = lastGroup === undefined ? undefined : lastGroup - group;
  io.print(
    [
      `The data in ${data} has the new id ${serverId}.`,
      ...(lost === undefined || lost <= 0 ? [] : [lostText(lost)]),
      `It has ${contentsText(contentsOf(database))}.${before === undefined ? "" : ` Before, it had ${before}.`}`,
      ...putAside.map((file) => `Kept ${file}`),
      "",
    ].join("\n"),
  );
  return 0;
}

/** Throws if the file cannot be restored, before the data folder is touched. */
function checkBackup(backup: string): void {
  if (!existsSync(backup)) throw new CommandFailure(`${backup} does not exist. Nothing was changed.`);
  try {
    verifyBackup(resolve(backup));
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    throw new CommandFailure(`${error.message}. Nothing was changed. Choose another backup.`);
  }
}

/** @param commits the writes after the backup; each may have several messages, or only a log-in or a marker */
function lostText(commits: number): string {
  const writes = commits === 1 ? "The last write is" : `The last ${commits} writes are`;
  return `${writes} lost: messages, or only changes of users, sessions and read marks.`;
}

/** How much the data had before, for the operator to see what is lost. */
function describeContents(database: string): string {
  // SQLite would delete the log of an empty database.
  if ((statSync(database, { throwIfNoEntry: false })?.size ?? 0) === 0) return "no database";
  try {
    return contentsText(contentsOf(database));
  } catch {
    // Damaged data is the usual reason for a restore.
    return "data that cannot be read";
  }
}
