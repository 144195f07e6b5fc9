// The table of settings: every one with its name, unit, default, check and help. Flags, environment, file, --help and
// docs/configuration.md all follow it.
import { isIP } from "node:net";
import { resolve } from "node:path";
import type { LockRule } from "../auth/lockout.ts";
import { type LogLevel, logLevels } from "../log.ts";

/** Why a value cannot be; a sentence that goes on after the setting's name and "in …: ". */
export class SettingProblem extends Error {
  override name = "SettingProblem";
}

export interface Setting<T> {
  readonly group: string;
  /** The flag's single letter. */
  readonly short?: string;
  /** Stands for the value in help; without one it is a switch: true or false. */
  readonly value?: string;
  /** What holds where nobody says anything, as text; without one the setting is then undefined (or an empty list). */
  readonly default?: string;
  /** One sentence, with the unit. */
  readonly help: string;
  /** Given any number of times (in the environment and in a list of the file: separated by commas). */
  readonly isRepeated?: boolean;
  /** Relative paths start at the folder. @throws SettingProblem */
  readonly parse: (text: string, folder: string) => T;
}

export interface HostAndPort {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export type SignUp = "closed" | "invite" | "open";

/** The setting `listen` is --listen, PARLEY_LISTEN and `listen = "…"`; `publicName` is --public-name, PARLEY_PUBLIC_NAME and `public-name`. */
export const settings = {
  listen: setting({
    group: "Where",
    value: "HOST:PORT",
    default: "127.0.0.1:12000",
    help: "Address to serve on; port 0 for any free one, [::]:12000 for all interfaces.",
    parse: parseListen,
  }),
  publicName: setting({
    group: "Where",
    value: "NAME",
    isRepeated: true,
    help: "Name or address under which others reach this server: for invites and the certificate.",
    parse: parsePublicName,
  }),
  data: setting({
    group: "Where",
    value: "DIR",
    help: "Data folder, made if missing; one server at a time. Default by the platform's convention.",
    parse: parsePath,
  }),
  ephemeral: setting({
    group: "Where",
    default: "false",
    help: "Keep the data in a temporary folder, deleted at the end, instead of in --data.",
    parse: parseSwitch,
  }),
  config: setting({
    group: "Where",
    value: "FILE",
    help: "TOML file with these settings. Default: parley-server.toml in the data folder, if there.",
    parse: parsePath,
  }),
  credentials: setting({
    group: "Who",
    value: "FILE",
    help: 'Users to add at start if they are new: "name password" a line.',
    parse: parsePath,
  }),
  signUp: setting({
    group: "Who",
    value: "closed|invite|open",
    default: "invite",
    help: "Who may sign up: nobody, whoever has an invite, or anybody.",
    parse: oneOf<SignUp>(["closed", "invite", "open"]),
  }),
  sessionLifetime: setting({
    group: "Who",
    value: "DAYS",
    default: "90",
    help: "Days without use after which a log-in ends, 1 to 3650.",
    parse: wholeNumber(1, 3650, "days"),
  }),
  sessionsPerUser: setting({
    group: "Who",
    value: "NUMBER",
    default: "8",
    help: "Sessions of one user that may be online at once, 1 to 1000.",
    parse: wholeNumber(1, 1000, "sessions"),
  }),
  lock: setting({
    group: "Who",
    value: "strict|spare-known",
    default: "spare-known",
    help: "Whom three wrong passwords in a row lock out: everybody, or all but the user's known devices.",
    parse: oneOf<LockRule>(["strict", "spare-known"]),
  }),
  blockDuration: setting({
    group: "Who",
    value: "SECONDS",
    default: "60",
    help: "Seconds for which three wrong passwords in a row lock log-ins, 1 to 31536000.",
    parse: wholeNumber(1, 31_536_000, "seconds"),
  }),
  timeout: setting({
    group: "Who",
    value: "SECONDS",
    default: "0",
    help: "Seconds without a command after which a session ends, up to 31536000; 0: never.",
    parse: wholeNumber(0, 31_536_000, "seconds"),
  }),
  presenceGrace: setting({
    group: "Who",
    value: "SECONDS",
    default: "10",
    help: "Seconds that a lost connection may take to return before others see a log-out, 0 to 86400.",
    parse: wholeNumber(0, 86_400, "seconds"),
  }),
  callRate: setting({
    group: "Who",
    value: "NUMBER",
    default: "5000",
    help: "Commands and calls that one session may make a second, 1 to 1000000.",
    parse: wholeNumber(1, 1_000_000, "commands a second"),
  }),
  relay: setting({
    group: "Who",
    default: "true",
    help: "Carry private chats, which it cannot read, where two devices cannot reach each other directly.",
    parse: parseSwitch,
  }),
  cert: setting({
    group: "Encryption",
    value: "FILE",
    help: "Your own certificate chain, PEM; with --key. Reloaded when it changes.",
    parse: parsePath,
  }),
  key: setting({
    group: "Encryption",
    value: "FILE",
    help: "The private key of --cert, PEM, without a passphrase.",
    parse: parsePath,
  }),
  plaintext: setting({
    group: "Encryption",
    default: "false",
    help: "Serve without TLS; on a loopback address only.",
    parse: parseSwitch,
  }),
  reflection: setting({
    group: "Tools",
    default: "true",
    help: "Tell anybody who asks the schema (server reflection), for grpcurl and its like.",
    parse: parseSwitch,
  }),
  health: setting({
    group: "Tools",
    default: "true",
    help: "Answer the standard health check, for load balancers and their like.",
    parse: parseSwitch,
  }),
  log: setting({
    group: "Log",
    value: "FILE",
    help: "Append the log to this file. Default: standard error, unless that is a terminal.",
    parse: parsePath,
  }),
  logLevel: setting({
    group: "Log",
    value: "LEVEL",
    default: "info",
    help: `Least level to log: ${logLevels.join(", ")}.`,
    parse: oneOf<LogLevel>(logLevels),
  }),
  logStderr: setting({
    group: "Log",
    short: "d",
    default: "false",
    help: "Log to standard error even on a terminal.",
    parse: parseSwitch,
  }),
} as const;

export type SettingName = keyof typeof settings;

export const settingNames = Object.keys(settings) as SettingName[];

/** As in flags and in the file: `publicName` is "public-name". */
export function flagName(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function environmentName(name: SettingName): string {
  return `PARLEY_${flagName(name).replaceAll("-", "_").toUpperCase()}`;
}

/** The table's rows as one type, for code that walks over them. */
export function settingOf(name: SettingName): Setting<unknown> {
  return settings[name];
}

/** Keeps what kind of row it is in the type: with a default, repeated or neither. */
function setting<T, const S extends Setting<T>>(row: S): S {
  return row;
}

function parseListen(text: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw new SettingProblem(
      `expected HOST:PORT, such as 127.0.0.1:12000, 0.0.0.0:12000 or [::1]:12000, not "${text}"`,
    );
  }
  const [, bracketed, plain = "", portText = ""] = match;
  if (bracketed !== undefined && isIP(bracketed) !== 6) {
    throw new SettingProblem(`"${bracketed}" in brackets is no IPv6 address`);
  }
  const host = bracketed ?? plain;
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) throw new SettingProblem(`"${host}" is no IPv4 address`);
  const port = Number(portText);
  if (port > 65_535) throw new SettingProblem(`the port is 0 to 65535, not ${portText}`);
  return { host, port };
}

function parsePublicName(text: string): string {
  const name = text.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const isDnsName = name.length <= 253 && /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.(?=.)|$))+$/i.test(name);
  if (isIP(name) !== 0 || (isDnsName && !/^[\d.]+$/.test(name))) return name;
  throw new SettingProblem(`expected a host name or an address without port, not "${text}"`);
}

function parsePath(text: string, folder: string): string {
  if (text === "") throw new SettingProblem("the path is empty");
  if (text.includes("\0")) throw new SettingProblem("a path cannot hold a NUL");
  return resolve(folder, text);
}

function parseSwitch(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new SettingProblem(`expected true or false, not "${text}"`);
}

function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((one) => one === text);
    if (value === undefined) throw new SettingProblem(`expected one of ${values.join(", ")}, not "${text}"`);
    return value;
  };
}

function wholeNumber(least: number, most: number, unit: string): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new SettingProblem(`expected a whole number of ${unit}, ${least} to ${most}, not "${text}"`);
  };
}
