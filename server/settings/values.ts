// How the texts of settings become values: checks, and conversion to the units that the server works with.
import { isIP } from "node:net";
import { resolve } from "node:path";

/** Why a value is refused; the message continues a sentence that begins with the setting and its source. */
export class SettingProblem extends Error {
  override name = "SettingProblem";
}

export interface HostAndPort {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export function hostAndPort(text: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw new SettingProblem(
      `expected HOST:PORT, such as 127.0.0.1:12000, 0.0.0.0:12000 or [::1]:12000, not "${text}"`,
    );
  }
  const [, bracketed, plain = "", portText = ""] = match;
  if (bracketed !== undefined && isIP(bracketed) !== 6) {
    throw new SettingProblem(`"${bracketed}" in brackets is not an IPv6 address`);
  }
  const host = bracketed ?? plain;
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) throw new SettingProblem(`"${host}" is not an IPv4 address`);
  const port = Number(portText);
  if (port > 65_535) throw new SettingProblem(`the port is 0 to 65535, not ${portText}`);
  return { host, port };
}

/** A DNS name or an IP address; brackets and a trailing dot are removed. */
export function hostName(text: string): string {
  const name = text.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const isDnsName = name.length <= 253 && /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.(?=.)|$))+$/i.test(name);
  if (isIP(name) !== 0 || (isDnsName && !/^[\d.]+$/.test(name))) return name;
  throw new SettingProblem(`expected a host name or an address without port, not "${text}"`);
}

/** An absolute path; a relative one is resolved against the folder. */
export function path(text: string, folder: string): string {
  if (text === "") throw new SettingProblem("the path is empty");
  if (text.includes("\0")) throw new SettingProblem("a path cannot contain a NUL");
  return resolve(folder, text);
}

export function onOrOff(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new SettingProblem(`expected true or false, not "${text}"`);
}

export function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new SettingProblem(`expected one of ${values.join(", ")}, not "${text}"`);
    return value;
  };
}

/** @param unit the plural, for the message */
export function wholeNumber(least: number, most: number, unit: string): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new SettingProblem(`expected a whole number of ${unit}, ${least} to ${most}, not "${text}"`);
  };
}

const unitMs = { seconds: 1_000, days: 86_400_000 } as const;

/** A whole number of the unit, in ms. */
export function milliseconds(
  unit: keyof typeof unitMs,
  least: number,
  most: number,
): (text: string) => number {
  const parse = wholeNumber(least, most, unit);
  return (text) => parse(text) * unitMs[unit];
}

/** Like `milliseconds`, but 0 means "never" and becomes undefined. */
export function millisecondsOrNever(
  unit: keyof typeof unitMs,
  most: number,
): (text: string) => number | undefined {
  const parse = milliseconds(unit, 0, most);
  return (text) => parse(text) || undefined;
}
