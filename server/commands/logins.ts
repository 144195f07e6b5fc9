// parley-server logins [NAME]: prints the record of log-ins, of all users or of one.

import { readArguments } from "../../command-line/arguments.ts";
import { oneLine } from "../../command-line/one-line.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine } from "../files/package.ts";
import { loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import type { LogInOutcome, LogInRow } from "../store/store.ts";
import { type Command, CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";
import { openExistingAccounts } from "./open-accounts.ts";
import { readCount } from "./printing/count.ts";
import { timeText } from "./printing/time-text.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  { name: "count", short: "n", value: "N", help: "How many of the newest records to print. Default: 50." },
];
const settings = ["data", "config"] as const;
const PAGE = 1000;

const outcomes: Record<LogInOutcome, string> = {
  "logged-in": "logged in",
  "wrong-password": "wrong password",
  locked: "wrong password, and locked",
  "refused-locked": "refused: locked",
  "too-many-sessions": "refused: logged in elsewhere",
  "device-invalid": "refused: unknown device",
  disabled: "refused: disabled",
  "password-reset": "set a new password",
};

function help(): string {
  const program = commandLine("parley-server");
  return `Prints log-ins and refused log-ins, the newest first: time in UTC, name, outcome,
address, device and program.

Usage:
  ${program} logins         of all users, and of names that do not exist
  ${program} logins NAME    of one user

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  const [name, ...more] = words;
  if (more.length > 0) throw new UsageError("logins: expected one name, or none");
  const most = readCount(flags);
  await using stores = await openExistingAccounts(await loadConfig({ flags }));
  const user = name === undefined ? undefined : await stores.admin.account(name);
  if (name !== undefined && user === undefined) throw new CommandFailure(`there is no user ${oneLine(name)}`);
  for (let before = Number.MAX_SAFE_INTEGER, left = most; left > 0; ) {
    const size = Math.min(PAGE, left);
    const page = await stores.logIns.listLogIns(user?.userId ?? "everyone", before, size);
    io.print(page.map((row) => `${oneLine(lineOf(row))}\n`).join(""));
    const last = page.at(-1);
    if (page.length < size || last === undefined) break;
    before = last.logInId;
    left -= page.length;
  }
  return 0;
}

function lineOf({ time, firstTime, count, username, outcome, address, client }: LogInRow): string {
  const times = count > 1 ? `, ${count} times since ${timeText(firstTime)}` : "";
  const program = [client.name, client.version].join(" ").trim();
  const where = [address || "unknown", client.deviceName || "unnamed device", program].filter(Boolean);
  return `${timeText(time)}  ${username}  ${outcomes[outcome]}${times}  from ${where.join(", ")}`;
}
