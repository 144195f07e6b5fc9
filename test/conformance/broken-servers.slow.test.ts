// Each check of the kit can fail: servers with one fault each do not pass, and the failure names the fault.
import { expect, test } from "vitest";
import { checks } from "../../conformance/checks/table.ts";
import { type Result, run } from "../../conformance/run.ts";
import { TestServer } from "../support/server.ts";
import { commandFaults } from "./faults/commands.ts";
import type { Fault } from "./faults/fault.ts";
import { findingFaults } from "./faults/finding.ts";
import { logFaults } from "./faults/log.ts";
import { peopleFaults } from "./faults/people.ts";
import { restartFaults } from "./faults/restart.ts";
import { sessionFaults } from "./faults/sessions.ts";
import { usernames, users } from "./fixture.ts";
import { TamperingProxy } from "./tampering-proxy.ts";

const faults = [
  ...sessionFaults,
  ...logFaults,
  ...findingFaults,
  ...commandFaults,
  ...peopleFaults,
  ...restartFaults,
];
/** Long enough for events that do arrive; most checks wait for one that never does. */
const PATIENCE_MS = 4_000;

async function runThrough(
  tampering: Fault["tampering"],
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
    users,
    restart: async () => {
      await server.stop();
      await server.start();
      await proxy.ready();
      isRestarted = true;
    },
    checks: checks.filter(({ name }) => names.includes(name)),
  });
}

// Concurrently, because most of them wait for an event that never arrives.
test.concurrent.each<Fault>(faults)(
  "the kit detects a server that $what",
  { timeout: 120_000 },
  async ({ tampering, detectedBy, patienceMs = PATIENCE_MS }) => {
    const results = await runThrough(tampering, Object.keys(detectedBy), patienceMs);
    expect(results.map(({ name }) => name).toSorted()).toEqual(Object.keys(detectedBy).toSorted());
    for (const { name, status, expected, came } of results) {
      expect([name, status]).toEqual([name, "failed"]);
      expect(`${expected}, came ${came}`, name).toMatch(detectedBy[name] ?? /never/);
    }
  },
);

test("every check detects a fault", () => {
  const found = new Set(faults.flatMap(({ detectedBy }) => Object.keys(detectedBy)));
  expect(checks.filter(({ name }) => !found.has(name)).map(({ name }) => name)).toEqual([]);
});

test.concurrent("the kit passes the proxy itself, if it changes nothing", {
  timeout: 120_000,
}, async () => {
  const names = checks.map(({ name }) => name);
  const results = await runThrough(() => ({}), names, 10_000);
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  const skipped = results.filter(({ status }) => status === "skipped").map(({ name }) => name);
  expect(skipped).toEqual(["limits.idle-timeout"]);
});
