// The text that the server prints when it is ready: its address, and commands with which two people can talk.

import { formatAddress } from "../../../rpc/network/address.ts";
import type { Credential } from "../../files/credentials-file.ts";
import { isLoopback } from "../../files/loopback.ts";

export interface StartFacts {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** The fingerprint of the server's key; undefined if the server serves plaintext. */
  readonly fingerprint: string | undefined;
  readonly data: string;
  /** Whether the commands use this folder by default. */
  readonly isDefaultData: boolean;
  /** Whether the folder is deleted when the server ends. */
  readonly isTemporary: boolean;
  /** The rules of the original's command line; undefined if it was not used. */
  readonly rules: string | undefined;
  readonly log: string | undefined;
  /** The URL of the metrics; undefined if they are not served. */
  readonly metrics?: string | undefined;
  /** The sample users that still have their public passwords. */
  readonly sampleUsers: readonly Credential[];
  /** The commands that start the package's programs. */
  readonly client: string;
  readonly server: string;
}

export function startBlock(facts: StartFacts): string {
  const { version, host, port, fingerprint, data, isTemporary, rules, log } = facts;
  const isLocal = isLoopback(host);
  const rows: [string, string][] = [
    ["address", `${formatAddress({ host, port })}${isLocal ? "  (this machine only)" : ""}`],
    ["fingerprint", fingerprint ?? "none: plaintext"],
    ["data", `${data}${isTemporary ? "  (deleted at the end)" : ""}`],
    ...(facts.metrics === undefined ? [] : [["metrics", facts.metrics] satisfies [string, string]]),
    ...(log === undefined ? [] : [["log", log] satisfies [string, string]]),
  ];
  const lines = [
    `Parley ${version} is ready.`,
    "",
    ...rows.map(([name, value]) => label(name) + value),
    ...(rules === undefined ? [] : hanging(label("rules"), rules)),
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
  // The passwords are not in the commands, because some shells interpret the "!" in them.
  const passwords =
    first === undefined || second === undefined
      ? []
      : [
          `The password of ${first.username} is ${first.password} and that of ${second.username} is ${second.password}`,
          "",
        ];
  // The original's client prompts for the name.
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
    "Add users or create an invite in another terminal. Then start the client.",
    "",
    `  ${server} user add NAME${where}`,
    `  ${server} invite create${where}`,
    `  ${call} --as NAME`,
    "",
  ];
}

/** The command that starts a client on this machine. */
function clientCall({ client, host, port, fingerprint, rules }: StartFacts): string {
  const plaintext = fingerprint === undefined ? " --plaintext" : "";
  if (rules !== undefined) {
    // "::" includes the IPv4 interfaces.
    const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    return `${client} ${reachable} ${port}${plaintext}`;
  }
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const address = formatAddress({ host: reachable, port });
  return `${client} --server ${address.includes("[") ? quoted(address) : address}${plaintext}`;
}

/** The flag with which commands use this server's data folder. */
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
  const where = host === "::" || host === "0.0.0.0" ? "this server" : host;
  return [
    ...hanging(
      "",
      `WARNING: the passwords of ${names} are public, and other machines can reach ${where}, so anyone can log in as ` +
        "these users. Listen on 127.0.0.1, or remove each of them:",
    ),
    "",
    `  ${server} user remove NAME${dataFlag(facts)}`,
    "",
  ];
}

/** The width of the narrowest terminal in which no line of words is broken. */
const WIDTH = 80;

function label(name: string): string {
  return `  ${name.padEnd(12)} `;
}

/** A text in lines that begin below its first word. */
function hanging(start: string, text: string): string[] {
  const lines: string[] = [];
  let line = start;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(start.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
