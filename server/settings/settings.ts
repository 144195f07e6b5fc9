// The table of settings. Each row determines the flag, environment variable, key in the file, help, and type of the
// value.
import type { LockRule } from "../auth/lockout.ts";
import type { SignUpMode } from "../auth/user-accounts.ts";
import { type LogLevel, logLevels } from "../log.ts";
import {
  hostAndPort,
  hostName,
  milliseconds,
  millisecondsOrNever,
  oneOf,
  onOrOff,
  path,
  wholeNumber,
} from "./values.ts";

export interface Setting<T> {
  readonly group: string;
  /** The flag without dashes, if it does not follow from the row's name: "publicName" is --public-name. */
  readonly flag?: string;
  /** The single letter of the flag. */
  readonly short?: string;
  /** The placeholder of the value in help. A setting without one is a switch: true or false. */
  readonly value?: string;
  /** The default, as text. A setting without one may be undefined (a repeated one: an empty list). */
  readonly default?: string;
  /** One sentence, with the unit and the bounds. */
  readonly help: string;
  /** Whether it can be given several times (separated by commas in the environment and in a list of the file). */
  readonly isRepeated?: boolean;
  /** Parses the text. Relative paths are resolved against the folder. @throws SettingProblem */
  readonly parse: (text: string, folder: string) => T;
}

/**
 * A row's name is the property of Config that has the value. The server's options have the same names, so that a new
 * setting needs only its row and its use.
 */
export const settings = {
  listen: setting({
    group: "Address and data",
    value: "HOST:PORT",
    default: "127.0.0.1:12000",
    help: "Address to listen on. Port 0 is any free port; [::]:12000 is all interfaces.",
    parse: hostAndPort,
  }),
  publicName: setting({
    group: "Address and data",
    value: "NAME",
    isRepeated: true,
    help: "Name or address at which clients reach this server, for invites and the certificate.",
    parse: hostName,
  }),
  data: setting({
    group: "Address and data",
    value: "DIR",
    help: "Data folder, created if missing, for one server at a time. The default depends on the platform.",
    parse: path,
  }),
  ephemeral: setting({
    group: "Address and data",
    default: "false",
    help: "Store the data in a temporary folder that is deleted when the server stops, instead of --data.",
    parse: onOrOff,
  }),
  config: setting({
    group: "Address and data",
    value: "FILE",
    help: "TOML file with these settings. Default: parley-server.toml in the data folder, if it exists.",
    parse: path,
  }),
  credentials: setting({
    group: "Users and sessions",
    value: "FILE",
    help: 'Users to add at start if they do not exist yet, one on each line: "name password".',
    parse: path,
  }),
  signUp: setting({
    group: "Users and sessions",
    value: "closed|invite|open",
    default: "invite",
    help: "Whether clients can sign up: closed (never), invite (with an invite) or open (always).",
    parse: oneOf<SignUpMode>(["closed", "invite", "open"]),
  }),
  sessionLifetimeMs: setting({
    group: "Users and sessions",
    flag: "session-lifetime",
    value: "DAYS",
    default: "90",
    help: "Days without use after which a session ends, 1 to 3650.",
    parse: milliseconds("days", 1, 3650),
  }),
  sessionsPerUser: setting({
    group: "Users and sessions",
    value: "NUMBER",
    default: "8",
    help: "Sessions of one user that can be online at the same time, 1 to 1000.",
    parse: wholeNumber(1, 1000, "sessions"),
  }),
  lock: setting({
    group: "Users and sessions",
    value: "strict|spare-known",
    default: "spare-known",
    help: "Whom three wrong passwords in a row lock out: all clients, or all except the user's known devices.",
    parse: oneOf<LockRule>(["strict", "spare-known"]),
  }),
  lockDurationMs: setting({
    group: "Users and sessions",
    flag: "block-duration",
    value: "SECONDS",
    default: "60",
    help: "Seconds for which three wrong passwords in a row lock log-ins, 1 to 31536000. Each further lock in a row lasts twice as long, up to an hour, except with --lock strict.",
    parse: milliseconds("seconds", 1, 31_536_000),
  }),
  idleTimeoutMs: setting({
    group: "Users and sessions",
    flag: "timeout",
    value: "SECONDS",
    default: "0",
    help: "Seconds without a command after which a session ends, up to 31536000; 0: never.",
    parse: millisecondsOrNever("seconds", 31_536_000),
  }),
  presenceGraceMs: setting({
    group: "Users and sessions",
    flag: "presence-grace",
    value: "SECONDS",
    default: "10",
    help: "Seconds within which a lost connection can return before others see a log-out, 0 to 86400.",
    parse: milliseconds("seconds", 0, 86_400),
  }),
  callRate: setting({
    group: "Users and sessions",
    value: "NUMBER",
    default: "5000",
    help: "Commands and calls that one session can make each second, 1 to 1000000.",
    parse: wholeNumber(1, 1_000_000, "commands a second"),
  }),
  relay: setting({
    group: "Users and sessions",
    default: "true",
    help: "Relay private chats, which it cannot read, if two devices cannot reach each other directly.",
    parse: onOrOff,
  }),
  cert: setting({
    group: "Encryption",
    value: "FILE",
    help: "Your own certificate chain, PEM; requires --key. It is reloaded when the file changes.",
    parse: path,
  }),
  key: setting({
    group: "Encryption",
    value: "FILE",
    help: "The private key of --cert, PEM, without a passphrase.",
    parse: path,
  }),
  plaintext: setting({
    group: "Encryption",
    default: "false",
    help: "Serve without TLS, on a loopback address only.",
    parse: onOrOff,
  }),
  metrics: setting({
    group: "Tools",
    value: "HOST:PORT",
    help: "Serve figures for Prometheus at http://HOST:PORT/metrics, without encryption and without log-in.",
    parse: hostAndPort,
  }),
  reflection: setting({
    group: "Tools",
    default: "true",
    help: "Serve the schema to every client (server reflection), for tools such as grpcurl.",
    parse: onOrOff,
  }),
  health: setting({
    group: "Tools",
    default: "true",
    help: "Answer the standard health check, for load balancers and similar tools.",
    parse: onOrOff,
  }),
  logFile: setting({
    group: "Log",
    flag: "log",
    value: "FILE",
    help: "Append the log to this file. Default: standard error, unless it is a terminal.",
    parse: path,
  }),
  logLevel: setting({
    group: "Log",
    value: "LEVEL",
    default: "info",
    help: `Lowest level to log: ${logLevels.join(", ")}.`,
    parse: oneOf<LogLevel>(logLevels),
  }),
  logStderr: setting({
    group: "Log",
    short: "d",
    default: "false",
    help: "Log to standard error even if it is a terminal.",
    parse: onOrOff,
  }),
} as const;

export type SettingName = keyof typeof settings;

type Row<K extends SettingName> = (typeof settings)[K];
type Parsed<K extends SettingName> = ReturnType<Row<K>["parse"]>;

/** The type of a setting's value, from its row. */
export type SettingValue<K extends SettingName> =
  Row<K> extends { readonly isRepeated: true }
    ? readonly Parsed<K>[]
    : Row<K> extends { readonly default: string }
      ? Parsed<K>
      : Parsed<K> | undefined;

export const settingNames = Object.keys(settings) as SettingName[];

/** The name of the flag without dashes, and of the key in the file: "public-name" for `publicName`. */
export function flagName(name: SettingName): string {
  return settingOf(name).flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function environmentName(name: SettingName): string {
  return `PARLEY_${flagName(name).replaceAll("-", "_").toUpperCase()}`;
}

/** A row, without the type of its value. */
export function settingOf(name: SettingName): Setting<unknown> {
  return settings[name];
}

/** Keeps in the type whether the row has a default or is repeated. */
function setting<T, const S extends Setting<T>>(row: S): S {
  return row;
}
