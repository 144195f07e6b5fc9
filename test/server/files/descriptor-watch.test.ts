// A process without free file descriptors says so, and not again and again.
import { expect, test } from "vitest";
import { watchDescriptors } from "../../../server/files/descriptor-watch.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("used up file descriptors are one line in the log, and another one after ten minutes", () => {
  const lines: string[] = [];
  const nothing = (): void => undefined;
  const log = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    fatal: nothing,
    error: (_fields: unknown, line: string) => void lines.push(line),
  };
  const clock = new ManualClock();
  let code: string | undefined;
  using _watch = watchDescriptors(log, clock, () => {
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  });
  clock.advance(10_000);
  expect(lines).toEqual([]);
  code = "EMFILE";
  clock.advance(10_000);
  expect(lines).toEqual([expect.stringContaining("ulimit -n")]);
  clock.advance(9 * 60_000);
  expect(lines).toHaveLength(1);
  clock.advance(2 * 60_000);
  expect(lines).toHaveLength(2);
});
