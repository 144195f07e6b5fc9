// parley-server actions: prints the record of administration.

import { readArguments } from "../../command-line/arguments.ts";
import { oneLine } from "../../command-line/one-line.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine } from "../files/package.ts";
import { loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import type { AdminActionKind } from "../store/store.ts";
import type { Command } from "./command.ts";
import type { Io } from "./io.ts";
import { openExistingAccounts } from "./open-accounts.ts";
import { readCount } from "./printing/count.ts";
import { timeText } from "./printing/time-text.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  { name: "count", short: "n", value: "N", help: "How many of the newest changes to print. Default: 50." },
];
const settings = ["data", "config"] as const;
const PAGE = 1000;

const what: Readonly<Record<AdminActionKind, string>> = {
  "add-user": "added",
  "add-bot": "added the bot",
  "remove-user": "removed",
  promote: "promoted",
  demote: "demoted",
  disable: "disabled",
  enable: "enabled",
  unlock: "unlocked",
  "log-out": "logged out",
  reset: "made a reset link for",
  "new-bot-token": "replaced the token of",
  "create-invite": "created the invite",
  "revoke-invite": "revoked the invite",
};

function help(): string {
  return `Prints what administrators and the operator have changed, the newest first: time
in UTC, who, what, and the user or the invite.

Usage:
  ${commandLine("parley-server")} actions

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  if (words.length > 0) throw new UsageError("actions: expected only flags");
  const most = readCount(flags);
  await using stores = await openExistingAccounts(await loadConfig({ flags }));
  for (let before = Number.MAX_SAFE_INTEGER, left = most; left > 0; ) {
    const size = Math.min(PAGE, left);
    const page = await stores.admin.listActions(before, size);
    for (const { time, administrator, address, action, subject } of page) {
      const who = administrator === undefined ? "the operator" : `${administrator} (${address})`;
      io.print(`${oneLine(`${timeText(time)}  ${who} ${what[action]} ${subject}`)}\n`);
    }
    const last = page.at(-1);
    if (page.length < size || last === undefined) break;
    before = last.actionId;
    left -= page.length;
  }
  return 0;
}
