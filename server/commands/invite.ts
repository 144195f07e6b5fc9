// parley-server invite create: prints a line for a new user, with address, invite and fingerprint.
import { networkInterfaces } from "node:os";
import { type Arguments, readArguments } from "../../command-line/arguments.ts";
import { suggestion } from "../../command-line/closest.ts";
import { durationMs } from "../../command-line/durations.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { fingerprintOf } from "../../rpc/dialling/dial.ts";
import { newSecret } from "../auth/tokens.ts";
import { dataFiles } from "../files/data-folder.ts";
import { joinLine } from "../files/invite-link.ts";
import { isLoopback } from "../files/loopback.ts";
import { commandLine } from "../files/package.ts";
import { readServerFile } from "../files/server-file.ts";
import { type Config, dataOf, loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import { openAccountsDirectly } from "../store/sqlite/direct-accounts.ts";
import { type Command, CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";
import { servedCertificate } from "./served-certificate.ts";

export const command: Command = { help, run };

const MOST_USES = 1_000_000;
const MOST_EXPIRES_MS = 3650 * 86_400_000;

const ownFlags: readonly DescribedFlag[] = [
  { name: "uses", value: "N", help: "How many users can sign up with it. Default: 1." },
  { name: "expires", value: "TIME", help: "How long it is valid: 90s, 10m, 24h, 7d, 2w. Default: 7d." },
];
const settings = ["data", "config", "listen", "publicName", "cert", "key", "plaintext"] as const;

function help(): string {
  return `Creates an invite and prints one line to send to a new user. Anyone who reads
the line can sign up, so send it over a private channel.

Usage:
  ${commandLine("parley-server")} invite create [FLAGS]

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  const [action = "", ...more] = words;
  if (action !== "create" || more.length > 0) {
    throw new UsageError(
      action === "create" || action === ""
        ? "invite: expected invite create and flags"
        : `invite ${action}: no such command${suggestion(action, ["create"])}`,
    );
  }
  const uses = readUses(flags);
  const lifetimeMs = readLifetime(flags);
  const config = await loadConfig({ flags });
  if (config.signUp === "closed")
    io.complain("Note: sign-up is closed. The invite can be used after --sign-up is changed.\n");
  const place = await findPlace(config, io);
  const { secret, hash } = newSecret();
  const now = Date.now();
  using direct = openAccountsDirectly(dataFiles(dataOf(config)).database);
  direct.accounts.addInvite(hash, uses, now + lifetimeMs, now);
  io.print(`${joinLine({ ...place, invite: secret })}\n`);
  return 0;
}

function readUses(flags: Arguments["flags"]): number {
  const text = flags.get("uses")?.[0] ?? "1";
  const uses = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (uses >= 1 && uses <= MOST_USES) return uses;
  throw new UsageError(`--uses: expected a whole number, 1 to ${MOST_USES}, not "${text}"`);
}

function readLifetime(flags: Arguments["flags"]): number {
  const text = flags.get("expires")?.[0] ?? "7d";
  const ms = durationMs(text) ?? 0;
  if (ms > 0 && ms <= MOST_EXPIRES_MS) return ms;
  throw new UsageError(`--expires: expected a time such as 12h or 7d, at most 3650d, not "${text}"`);
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string | undefined;
}

/** The address of the running server, or else that of the settings. */
async function findPlace(config: Config, io: Io): Promise<Place> {
  const running = await readServerFile(dataFiles(dataOf(config)).server);
  const { host, port } = running ?? config.listen;
  if (port === 0) {
    throw new CommandFailure(
      "the port is unknown until the server runs: start it first, or set a port with --listen",
    );
  }
  const [publicName] = [...config.publicName, ...(running?.publicNames ?? [])];
  const fingerprint = running
    ? running.fingerprint
    : config.plaintext
      ? undefined
      : fingerprintOf(await servedCertificate(config));
  return { host: publicName ?? reachableHost(host, io), port, fingerprint };
}

function reachableHost(host: string, io: Io): string {
  if (isLoopback(host)) {
    io.complain(
      "Note: the server listens on loopback only, so the invite can be used only on this machine.\n",
    );
    return host;
  }
  if (host !== "0.0.0.0" && host !== "::") return host;
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
  const guess = address ?? "127.0.0.1";
  io.complain(
    `Note: --public-name is not set. The line contains ${guess}, which the new user may not be able to reach.\n`,
  );
  return guess;
}
