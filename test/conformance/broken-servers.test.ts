// Each check of the kit can fail: held against servers that are wrong in one thing, it says what is wrong.
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { type Result, run } from "../../conformance/run.ts";
import { TestServer } from "../support/server.ts";
import type { Break } from "./breaks/break.ts";
import { commandBreaks } from "./breaks/commands.ts";
import { logBreaks } from "./breaks/log.ts";
import { peopleBreaks } from "./breaks/people.ts";
import { restartBreaks } from "./breaks/restart.ts";
import { sessionBreaks } from "./breaks/sessions.ts";
import { people, usernames } from "./people.ts";
import { TamperingProxy } from "./tampering-proxy.ts";

const breaks = [...sessionBreaks, ...logBreaks, ...commandBreaks, ...peopleBreaks, ...restartBreaks];
/** For what never comes; what does come, comes well before. */
const PATIENCE_MS = 3_000;

async function runThrough(
  tampering: Break["tampering"],
  names: readonly string[],
  patienceMs: number,
): Promise<readonly Result[]> {
  await using server = await TestServer.start({ users: usernames });
  let isRestarted = false;
  using proxy = await TamperingProxy.to(
    server.port,
    tampering(() => isRestarted),
  );
  return await run({
    server: { address: `127.0.0.1:${proxy.port}`, trust: { kind: "plaintext" }, patienceMs },
    people,
    restart: async () => {
      await server.stop();
      await server.start();
      await proxy.ready();
      isRestarted = true;
    },
    checks: checks.filter(({ name }) => names.includes(name)),
  });
}

// Side by side: most of them wait for something that never comes.
test.concurrent.each<Break>(breaks)(
  "a server that $what is found out",
  { timeout: 120_000 },
  async ({ tampering, noticedBy, patienceMs = PATIENCE_MS }) => {
    const results = await runThrough(tampering, Object.keys(noticedBy), patienceMs);
    expect(results.map(({ name }) => name).toSorted()).toEqual(Object.keys(noticedBy).toSorted());
    for (const { name, status, expected, came } of results) {
      expect([name, status]).toEqual([name, "failed"]);
      expect(`${expected}, came ${came}`, name).toMatch(noticedBy[name] ?? /never/);
    }
  },
);

test("no check is left out of the breaks", () => {
  const found = new Set(breaks.flatMap(({ noticedBy }) => Object.keys(noticedBy)));
  expect(checks.filter(({ name }) => !found.has(name)).map(({ name }) => name)).toEqual([]);
});

test("it is the breaks that are noticed, not the proxy: one that changes nothing passes", {
  timeout: 120_000,
}, async () => {
  const names = checks.map(({ name }) => name);
  const results = await runThrough(() => ({}), names, 10_000);
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  const skipped = results.filter(({ status }) => status === "skipped").map(({ name }) => name);
  expect(skipped).toEqual(["limits.idle-timeout"]);
});
