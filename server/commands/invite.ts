// parley-server invite create|list|revoke: manages the invites with which new users sign up.
import { type Arguments, readArguments } from "../../command-line/arguments.ts";
import { suggestionOrAll } from "../../command-line/closest.ts";
import { durationMs } from "../../command-line/durations.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { systemClock } from "../../time/clock.ts";
import { Administration, operator } from "../admin/administration.ts";
import { Passwords } from "../auth/passwords.ts";
import { joinLine } from "../files/invite-link.ts";
import { commandLine } from "../files/package.ts";
import { limits } from "../limits.ts";
import { type Config, loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import { type Command, CommandFailure, type Replacements } from "./command.ts";
import type { Io } from "./io.ts";
import { findPlace, placeSettings } from "./links/place.ts";
import { openAccountsOf, openExistingAccounts } from "./open-accounts.ts";
import { timeText } from "./printing/time-text.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  { name: "uses", value: "N", help: "How many users can sign up with it. Default: 1." },
  { name: "expires", value: "TIME", help: "How long it is valid: 90s, 10m, 24h, 7d, 2w. Default: 7d." },
];
const PAGE = 1000;

function help(): string {
  const program = commandLine("parley-server");
  return `Creates an invite and prints one line to send to a new user. Anyone who reads
the line can sign up, so send it over a private channel.

Usage:
  ${program} invite create [FLAGS]  create an invite
  ${program} invite list       print the invites that can be used
  ${program} invite revoke ID  make an invite unusable

Flags:
${describeFlags([...ownFlags, ...describedSettings(placeSettings)])}
`;
}

const actions = { create, list, revoke } as const;

async function run(argv: readonly string[], io: Io, { clock = systemClock }: Replacements): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(placeSettings)]);
  const [action = "", ...more] = words;
  if (!Object.hasOwn(actions, action)) {
    const known = Object.keys(actions);
    throw new UsageError(
      action === ""
        ? `invite: expected one of ${known.join(", ")}`
        : `invite ${action}: no such command${suggestionOrAll(action, known)}`,
    );
  }
  if (more.length !== (action === "revoke" ? 1 : 0)) {
    throw new UsageError(
      `invite ${action}: expected ${action === "revoke" ? "the id of an invite" : "only flags"}`,
    );
  }
  const [id = ""] = more;
  await actions[action as keyof typeof actions]({
    config: await loadConfig({ flags }),
    flags,
    id,
    io,
    now: clock.now(),
  });
  return 0;
}

interface Request {
  readonly config: Config;
  readonly flags: Arguments["flags"];
  readonly id: string;
  readonly io: Io;
  readonly now: number;
}

async function create({ config, flags, io, now }: Request): Promise<void> {
  const uses = readUses(flags);
  const lifetimeMs = readLifetime(flags);
  if (config.signUp === "closed")
    io.complain("Note: sign-up is closed. The invite can be used after --sign-up is changed.\n");
  const place = await findPlace(config, io);
  await using stores = await openAccountsOf(config);
  const administration = new Administration({ ...stores, passwords: new Passwords() });
  const { secret } = await administration.createInvite(uses, lifetimeMs, operator(now));
  io.print(`${joinLine({ ...place, kind: "invite", secret })}\n`);
}

async function list({ config, io, now }: Request): Promise<void> {
  await using stores = await openExistingAccounts(config);
  for (let after = ""; ; ) {
    const page = await stores.admin.listInvites(after, PAGE, now);
    for (const { inviteId, usesLeft, expireTime } of page) {
      io.print(
        `${inviteId}  ${usesLeft} ${usesLeft === 1 ? "use" : "uses"}, until ${timeText(expireTime)}\n`,
      );
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = last.inviteId;
  }
}

async function revoke({ config, id, io, now }: Request): Promise<void> {
  await using stores = await openExistingAccounts(config);
  if (!(await stores.admin.revokeInvite(id, operator(now)))) {
    throw new CommandFailure(
      `there is no invite ${id} that can be used; ${commandLine("parley-server")} invite list shows them`,
    );
  }
  io.print(`The invite ${id} cannot be used any more.\n`);
}

function readUses(flags: Arguments["flags"]): number {
  const text = flags.get("uses")?.[0] ?? "1";
  const uses = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (uses >= 1 && uses <= limits.inviteUses) return uses;
  throw new UsageError(`--uses: expected a whole number, 1 to ${limits.inviteUses}, not "${text}"`);
}

function readLifetime(flags: Arguments["flags"]): number {
  const text = flags.get("expires")?.[0] ?? "7d";
  const ms = durationMs(text) ?? 0;
  if (ms > 0 && ms <= limits.inviteSeconds * 1000) return ms;
  throw new UsageError(`--expires: expected a time such as 12h or 7d, at most 3650d, not "${text}"`);
}
