// The flag --count of the commands that print a record.
import type { Arguments } from "../../../command-line/arguments.ts";
import { UsageError } from "../../../command-line/usage-error.ts";

const BY_DEFAULT = 50;

/** @throws UsageError if the value is not a number from 1 on */
export function readCount(flags: Arguments["flags"]): number {
  const text = flags.get("count")?.[0];
  if (text === undefined) return BY_DEFAULT;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(`--count: expected a number from 1 on, not "${text}"`);
  return Number(text);
}
