// How the texts of settings become values: checks, and conversion to the units that the server works with.
import { isIP } from "node:net";
import { resolve } from "node:path";
import { type Address, parseAddress } from "../../rpc/network/address.ts";

/** Why a value is refused; the message continues a sentence that begins with the setting and its source. */
export class SettingProblem extends Error {
  override name = "SettingProblem";
}

export function hostAndPort(text: string): Address {
  try {
    return parseAddress(text, { leastPort: 0 });
  } catch (error) {
    throw new SettingProblem(error instanceof Error ? error.message : String(error));
  }
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
