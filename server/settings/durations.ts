// Durations as people write them: 90s, 10m, 24h, 7d, 2w.

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** In ms; undefined for anything else than a whole number and a unit. */
export function parseDuration(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (unitsMs[unit] ?? 0);
  return ms > 0 ? ms : undefined;
}
