// Durations with a unit, as the server takes them; the client's tests check those without one.
import { expect, test } from "vitest";
import { durationMs } from "../../command-line/durations.ts";

test.each([
  ["90s", 90_000],
  ["10m", 600_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
  ["0s", 0],
  ["999999999999999w", 315_576_000_000_000],
])("%s is %i ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test.each(["", "90", "s", "-1s", "1.5h", "10 m", "1y", "1h30m"])(
  "%j is not a duration with a unit",
  (text) => {
    expect(durationMs(text)).toBeUndefined();
  },
);
