// What the server prints once it serves: where it is, and two lines with which two people can talk.
import type { Credential } from "../credentials-file.ts";
import { formatAddress } from "../invite-link.ts";
import { isLoopback } from "../loopback.ts";

export interface StartFacts {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Undefined where the server speaks plaintext. */
  readonly fingerprint: string | undefined;
  readonly data: string;
  /** Whether that is where the commands look when nobody names a folder. */
  readonly isDefaultData: boolean;
  readonly log: string | undefined;
  /** Those who have their public password still. */
  readonly sampleUsers: readonly Credential[];
  /** How the package's programs are called here. */
  readonly client: string;
  readonly server: string;
}

export function startBlock(facts: StartFacts): string {
  const { version, host, port, fingerprint, data, log } = facts;
  const isLocal = isLoopback(host);
  const rows: [string, string][] = [
    ["address", `${formatAddress(host, port)}${isLocal ? "  (this machine only)" : ""}`],
    ["fingerprint", fingerprint ?? "none: plaintext"],
    ["data", data],
    ...(log === undefined ? [] : [["log", log] satisfies [string, string]]),
  ];
  const lines = [
    `Parley ${version} is ready.`,
    "",
    ...rows.map(([name, value]) => `  ${name.padEnd(12)} ${value}`),
    "",
    ...invitation(facts),
    ...(isLocal ? [] : warning(facts)),
  ];
  return `${lines.join("\n")}\n`;
}

function invitation({ sampleUsers, client, server, data, isDefaultData, ...facts }: StartFacts): string[] {
  const call = `${client} --server ${localAddress(facts)}${facts.fingerprint === undefined ? " --plaintext" : ""}`;
  const [first, second] = sampleUsers;
  if (first !== undefined && second !== undefined) {
    return [
      "Two people can talk: paste these into two other terminals.",
      "",
      `  ${call} --as ${first.username}`,
      `  ${call} --as ${second.username}`,
      "",
      // Beside the lines and not in them: some shells take the "!" of a password for a command of theirs.
      `The password of ${first.username} is ${first.password} and that of ${second.username} is ${second.password}`,
      "",
    ];
  }
  const where = isDefaultData ? "" : ` --data ${quoted(data)}`;
  return [
    "Add users, or invite people, in another terminal; then talk.",
    "",
    `  ${server} user add NAME${where}`,
    `  ${server} invite create${where}`,
    `  ${call} --as NAME`,
    "",
  ];
}

/** Where another terminal of this machine reaches the server. */
function localAddress({ host, port }: { host: string; port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const address = formatAddress(reachable, port);
  return address.includes("[") ? quoted(address) : address;
}

function quoted(text: string): string {
  return /^[\w/.:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function warning({ sampleUsers, server, host }: StartFacts): string[] {
  if (sampleUsers.length === 0) return [];
  const names = sampleUsers.map(({ username }) => username).join(", ");
  return [
    `WARNING: the passwords of ${names} are public, and ${host} is reached from other machines: anybody`,
    `can log in as them. Remove them (${server} user remove NAME), or listen on 127.0.0.1.`,
    "",
  ];
}
