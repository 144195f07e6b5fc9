// The command line of the kit: the server, how to authenticate it, its users, and the checks to run.
import { createSecureContext } from "node:tls";
import { type Arguments, type FlagSpec, readArguments } from "../command-line/arguments.ts";
import { fileProblem } from "../command-line/file-problem.ts";
import { readSmallFile } from "../command-line/small-file.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { parseAddress } from "../rpc/network/address.ts";
import type { Check } from "./checks/check.ts";
import type { Server } from "./client/connection.ts";
import { readUserFlags, readUsersFile, signUp, type Users } from "./users.ts";

export const help = `Checks any Parley server against the contract, over the network, by gRPC alone.

  npm run conformance -- --target HOST:PORT TRUST USERS [--restart CMD] [--only NAME] [--json]

The server:
  --target HOST:PORT      its address

How it is trusted (by default by the roots of this system):
  --ca FILE               certificates in PEM: of authorities, or of the server itself
  --fingerprint SHA256:…  the fingerprint of its public key
  --plaintext             no encryption

Its three users (use accounts for tests: the kit blocks, broadcasts and logs out with them):
  --users FILE            NAME PASSWORD on each line, the format of parley-server's --credentials; the first three are used
  --user NAME:PASSWORD    given three times; other users of this machine can read a command line
  --sign-up               sign up new users, if sign-up is open
  --invite INVITE         sign up new users with this invite, or with three invites, one for each user

The checks:
  --restart CMD           a command for sh that kills the server without a warning and starts it again, on the same
                          address and data; without it, checks that need a restart are skipped
  --only NAME             run this check, or a group of checks such as "resume"; can be given several times
  --patience SECONDS      how long an event or an answer may take to arrive; by default 10
  --list                  print the names of the checks, and run none
  --json                  print one JSON document instead of the table
  --help                  print this help

The exit code is 0 if no check failed, 1 if a check failed, and 2 if no check could be run.
`;

export interface KitOptions {
  readonly action: "run" | "list" | "help";
  readonly isJson: boolean;
  readonly checks: readonly Check[];
  readonly restart: string | undefined;
  /** @throws UsageError */
  readonly server: () => Promise<Server>;
  /** @throws UsageError; Error for a file that cannot be read; RpcError */
  readonly users: (server: Server) => Promise<Users>;
}

const PATIENCE_S = "10";

const flagSpecs: readonly FlagSpec[] = [
  { name: "target", value: "HOST:PORT" },
  { name: "ca", value: "FILE" },
  { name: "fingerprint", value: "SHA256:…" },
  { name: "plaintext" },
  { name: "users", value: "FILE" },
  { name: "user", value: "NAME:PASSWORD", isRepeated: true },
  { name: "sign-up" },
  { name: "invite", value: "INVITE", isRepeated: true },
  { name: "restart", value: "CMD" },
  { name: "only", value: "NAME", isRepeated: true },
  { name: "patience", value: "SECONDS" },
  { name: "list" },
  { name: "json" },
  { name: "help", short: "h" },
];

/** @throws UsageError */
export function readKitOptions(argv: readonly string[], checks: readonly Check[]): KitOptions {
  const values = parse(argv);
  return {
    action: values.has("help") ? "help" : values.has("list") ? "list" : "run",
    isJson: values.has("json"),
    checks: chosen(checks, values.get("only") ?? []),
    restart: values.get("restart")?.[0],
    server: () => serverOf(values),
    users: (server) => usersOf(values, server),
  };
}

type Values = Arguments["flags"];

function parse(argv: readonly string[]): Values {
  const { flags, words } = readArguments(argv, flagSpecs);
  if (words.length > 0) throw new UsageError(`"${words[0]}" is not a flag. The kit takes flags only.`);
  return flags;
}

function chosen(checks: readonly Check[], only: readonly string[]): readonly Check[] {
  const unknown = only.find((name) => !checks.some((check) => isNamed(check, name)));
  if (unknown !== undefined)
    throw new UsageError(`There is no check or group "${unknown}". --list prints their names.`);
  return only.length === 0 ? checks : checks.filter((check) => only.some((name) => isNamed(check, name)));
}

function isNamed(check: Check, name: string): boolean {
  return check.name === name || check.name.startsWith(`${name}.`);
}

async function serverOf(values: Values): Promise<Server> {
  const target = values.get("target")?.[0];
  const ca = values.get("ca")?.[0];
  const fingerprint = values.get("fingerprint")?.[0];
  if (target === undefined) throw new UsageError("--target is missing: give HOST:PORT of the server.");
  const seconds = Number(values.get("patience")?.[0] ?? PATIENCE_S);
  if (!(seconds > 0)) throw new UsageError("--patience must be a number of seconds above 0.");
  const trusts = [
    ...(ca === undefined ? [] : [{ kind: "authority" as const, certificates: await readCertificates(ca) }]),
    ...(fingerprint === undefined ? [] : [{ kind: "pin" as const, fingerprint }]),
    ...(values.has("plaintext") ? [{ kind: "plaintext" as const }] : []),
  ];
  if (trusts.length > 1) throw new UsageError("Give only one of --ca, --fingerprint and --plaintext.");
  try {
    parseAddress(target);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return { address: target, trust: trusts[0] ?? { kind: "system" }, patienceMs: seconds * 1_000 };
}

async function readCertificates(file: string): Promise<string> {
  const pem = await readGiven("--ca", file);
  try {
    createSecureContext({ ca: pem });
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  } catch {
    // The error is reported below.
  }
  throw new UsageError(`--ca: ${file} contains no certificate in PEM.`);
}

async function readGiven(flag: string, file: string): Promise<string> {
  try {
    return (await readSmallFile(file)).text;
  } catch (error) {
    throw new UsageError(`${flag}: ${file} cannot be read: ${fileProblem(error)}.`);
  }
}

async function usersOf(values: Values, server: Server): Promise<Users> {
  const users = values.get("users")?.[0];
  const user = values.get("user") ?? [];
  const invite = values.get("invite") ?? [];
  const ways = [users !== undefined, user.length > 0, values.has("sign-up"), invite.length > 0];
  if (ways.filter(Boolean).length !== 1) {
    throw new UsageError("Name the users by one of --users, --user, --sign-up and --invite.");
  }
  try {
    if (users !== undefined) return readUsersFile(await readGiven("--users", users));
    if (user.length > 0) return readUserFlags(user);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return signUp(server, invite.map(secretOf));
}

/**
 * The invite itself, given alone or in the line that `parley-server invite create` prints: `parley join
 * HOST:PORT/INVITE/FINGERPRINT`.
 */
function secretOf(invite: string): string {
  return invite.split("/")[1] ?? invite;
}
