// What the server prints once it serves: where it is, and two lines with which two people can talk.
import type { Credential } from "../files/credentials-file.ts";
import { formatAddress } from "../files/invite-link.ts";
import { isLoopback } from "../files/loopback.ts";

export interface StartFacts {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Undefined where the server speaks plaintext. */
  readonly fingerprint: string | undefined;
  readonly data: string;
  /** Whether that is where the commands look when nobody names a folder. */
  readonly isDefaultData: boolean;
  /** Whether it goes when the server ends. */
  readonly isTemporary: boolean;
  /** What the original's command line brought; undefined where it was not given. */
  readonly rules: string | undefined;
  readonly log: string | undefined;
  /** Those who have their public password still. */
  readonly sampleUsers: readonly Credential[];
  /** How the package's programs are called here. */
  readonly client: string;
  readonly server: string;
}

export function startBlock(facts: StartFacts): string {
  const { version, host, port, fingerprint, data, isTemporary, rules, log } = facts;
  const isLocal = isLoopback(host);
  const rows: [string, string][] = [
    ["address", `${formatAddress(host, port)}${isLocal ? "  (this machine only)" : ""}`],
    ["fingerprint", fingerprint ?? "none: plaintext"],
    ["data", `${data}${isTemporary ? "  (deleted at the end)" : ""}`],
    ...(log === undefined ? [] : [["log", log] satisfies [string, string]]),
    ...(rules === undefined ? [] : [["rules", rules] satisfies [string, string]]),
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

function invitation(facts: StartFacts): string[] {
  const { sampleUsers, server, rules } = facts;
  const call = clientCall(facts);
  const [first, second] = sampleUsers;
  // Beside the lines and not in them: some shells take the "!" of a password for a command of theirs.
  const passwords =
    first === undefined || second === undefined
      ? []
      : [
          `The password of ${first.username} is ${first.password} and that of ${second.username} is ${second.password}`,
          "",
        ];
  // As the original's, the client asks for the name.
  if (rules !== undefined) {
    const people = passwords.length > 0 ? "Two people" : "The users of the file";
    return [`${people} can talk: paste this into other terminals.`, "", `  ${call}`, "", ...passwords];
  }
  if (first !== undefined && second !== undefined) {
    return [
      "Two people can talk: paste these into two other terminals.",
      "",
      `  ${call} --as ${first.username}`,
      `  ${call} --as ${second.username}`,
      "",
      ...passwords,
    ];
  }
  const where = dataFlag(facts);
  return [
    "Add users, or invite people, in another terminal; then talk.",
    "",
    `  ${server} user add NAME${where}`,
    `  ${server} invite create${where}`,
    `  ${call} --as NAME`,
    "",
  ];
}

/** How another terminal of this machine reaches the server. */
function clientCall({ client, host, port, fingerprint, rules }: StartFacts): string {
  const plaintext = fingerprint === undefined ? " --plaintext" : "";
  if (rules !== undefined) {
    // All interfaces are those of IPv4 as well.
    const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    return `${client} ${reachable} ${port}${plaintext}`;
  }
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const address = formatAddress(reachable, port);
  return `${client} --server ${address.includes("[") ? quoted(address) : address}${plaintext}`;
}

/** Leads the commands to this server's data. */
function dataFlag({ data, isDefaultData }: StartFacts): string {
  return isDefaultData ? "" : ` --data ${quoted(data)}`;
}

function quoted(text: string): string {
  return /^[\w/.:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function warning(facts: StartFacts): string[] {
  const { sampleUsers, server, host } = facts;
  if (sampleUsers.length === 0) return [];
  const names = sampleUsers.map(({ username }) => username).join(", ");
  return [
    `WARNING: the passwords of ${names} are public, and ${host} is reached from other machines: anybody`,
    `can log in as them. Remove them (${server} user remove NAME${dataFlag(facts)}), or listen on 127.0.0.1.`,
    "",
  ];
}
