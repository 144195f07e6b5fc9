// Spans of time as people type them: 90, 90s, 10m, 2h, 7d.
import { usage } from "../process/exit.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest Duration of Protobuf, ms. More than that means "ever" to everyone. */
const longestMs = 315_576_000_000_000;

/** The longest that Node's timers can wait, ms: 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/** Milliseconds; a bare number is in seconds. @throws CommandError (usage) */
export function parseDuration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`"${text}" is no span of time: write 90, 90s, 10m, 2h or 7d.`);
  return Math.min(Number(digits) * (unitMs[unit === "" ? "s" : unit] ?? 1_000), longestMs);
}

/** As parseDuration, for something that is waited for. @throws CommandError (usage) */
export function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms > longestTimerMs) throw usage(`"${text}" is too long to wait: at most 24d.`);
  return ms;
}

/** Any whole number of seconds, in ms. @throws CommandError (usage) */
export function parseSeconds(text: string): number {
  if (!/^\d+$/.test(text)) throw usage(`"${text}" is no whole number of seconds: write 0, 90 or 3600.`);
  return Math.min(Number(text) * 1_000, longestMs);
}
