// Reads a moment that a person types: a time span before now, a date, or a date with a time.
import { durationMs } from "../../../command-line/durations.ts";
import { usage } from "../process/exit.ts";

const PATTERN = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** A date without a time begins at midnight; a time without a zone is local. @throws UsageError */
export function readMoment(text: string): Date {
  const span = durationMs(text);
  if (span !== undefined) return new Date(Math.max(0, Date.now() - span));
  if (PATTERN.test(text)) {
    // Without a time, Date would take midnight in UTC.
    const moment = new Date(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T"));
    if (!Number.isNaN(moment.getTime())) return moment;
  }
  throw usage(`"${text}" is not a time. Write for example 90s, 2h, 7d, 2026-11-30 or 2026-11-30T18:00.`);
}
