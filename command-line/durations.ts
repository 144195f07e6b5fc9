// Parses durations such as 90s, 10m, 24h, 7d and 2w, and a number of seconds where the unit may be missing.
import { UsageError } from "./usage-error.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** The longest Duration of Protobuf, ms: ten thousand years. Longer durations are reduced to it. */
const LONGEST_MS = 315_576_000_000_000;

/** The longest time that Node's timers can wait, ms: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The duration in ms; undefined if the text is not a whole number with a unit. */
export function durationMs(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const ms = unitMs[unit];
  return ms === undefined ? undefined : Math.min(Number(count) * ms, LONGEST_MS);
}

/** The duration in ms. A number without a unit is in seconds. @throws UsageError */
export function parseDuration(text: string): number {
  const ms = durationMs(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms === undefined)
    throw new UsageError(`"${text}" is not a span of time. Write for example 90, 90s, 10m, 2h, 7d or 2w.`);
  return ms;
}

/** Like parseDuration, for a time to wait, which is at most 24 days. @throws UsageError */
export function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms > LONGEST_TIMER_MS) throw new UsageError(`"${text}" is too long to wait: at most 24d.`);
  return ms;
}

/** Parses a whole number of seconds. Returns ms. @throws UsageError */
export function parseSeconds(text: string): number {
  const ms = durationMs(`${text}s`);
  if (ms === undefined)
    throw new UsageError(`"${text}" is not a whole number of seconds. Write for example 0, 90 or 3600.`);
  return ms;
}
