// Measures whether the time of a refused log-in tells if the name exists, when the record of log-ins is full: with the password
// hash, and only the operations of the store, which are more exact than a stranger can measure. It prints the area under the
// ROC curve: 0.5 means that the times tell nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Passwords } from "../server/auth/passwords.ts";
import { skeleton } from "../server/auth/username.ts";
import { openSqliteStore } from "../server/store/sqlite/sqlite-store.ts";
import type { NewLogIn } from "../server/store/store.ts";
import { readCommandLine } from "./usage.ts";

readCommandLine({
  command: "npx node bench/known-names.ts",
  what: "Measures whether the time of a refused log-in tells if the name exists.",
  flags: {},
});

const ROUNDS = 1_000;
/** With the hash, which takes most of the time. */
const ROUNDS_WITH_HASH = 300;
const UNKNOWN_ROWS = 10_000;
const ATTACKER = "192.0.2.1";

const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
const store = await openSqliteStore({ file: join(folder, "parley.db") });
const passwords = new Passwords();
const passwordHash = await passwords.hash("a bench password");
const asker = { lane: "stranger", key: ATTACKER } as const;
const names = Array.from({ length: 2 * ROUNDS }, (_, index) => `known${index}`);
await store.accounts.importUsers(
  names.map((username) => ({ username, skeleton: skeleton(username), passwordHash, time: Date.now() })),
);

function refusal(username: string, userId: number | undefined, network: string): NewLogIn {
  return {
    username,
    userId,
    deviceId: undefined,
    client: { name: "bench", version: "", deviceName: "" },
    address: network,
    network,
    outcome: "wrong-password",
    time: Date.now(),
  };
}

const neverLocks = { failures: Number.MAX_SAFE_INTEGER, firstMs: 0, longestMs: 0, rememberedMs: 0 };

/** What LogIn asks of the store for a wrong password. */
async function refusedLogIn(username: string, withHash: boolean): Promise<number> {
  const began = performance.now();
  const user = await store.accounts.userByName(username);
  await store.logIns.failures(`name:${username}`);
  if (withHash) {
    if (user === undefined) await passwords.verifyAgainstNothing("a guess", asker);
    else await passwords.verify("a guess", user.passwordHash, asker);
  }
  await store.logIns.settleAttempt(`name:${username}`, false, neverLocks, Date.now());
  await store.logIns.record(refusal(username, user?.userId, ATTACKER));
  return performance.now() - began;
}

async function fill(count: number, row: (index: number) => NewLogIn): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    await Promise.all(
      Array.from({ length: Math.min(500, count - from) }, (_, index) =>
        store.logIns.record(row(from + index)),
      ),
    );
  }
}

/** The probability that a time of the first list is longer than one of the second. */
function areaUnderCurve(first: readonly number[], second: readonly number[]): number {
  let wins = 0;
  for (const a of first) for (const b of second) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (first.length * second.length);
}

const median = (times: readonly number[]): string =>
  (times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0).toFixed(3);

try {
  await fill(UNKNOWN_ROWS, (index) => refusal(`nobody${index}`, undefined, `198.51.100.${index % 250}`));
  await fill(200, (index) => refusal(`nobody at the attacker's ${index}`, undefined, ATTACKER));
  for (const withHash of [false, true]) {
    const rounds = withHash ? ROUNDS_WITH_HASH : ROUNDS;
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // Each name is tried once, as a stranger tries a list of names.
      const both = [
        async () => known.push(await refusedLogIn(names.pop() ?? "", withHash)),
        async () => unknown.push(await refusedLogIn(`guess${names.length}`, withHash)),
      ];
      if (Math.random() < 0.5) both.reverse();
      for (const one of both) await one();
    }
    console.log(
      `${withHash ? "with" : "without"} the hash, ${rounds} refused log-ins each: median ${median(known)} ms for known ` +
        `names, ${median(unknown)} ms for unknown ones; area under the curve ${areaUnderCurve(known, unknown).toFixed(3)}`,
    );
  }
} finally {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}
