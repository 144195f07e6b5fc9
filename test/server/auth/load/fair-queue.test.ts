// The queue for password hashes: who has the next turn, and what is refused when too much waits.
import { expect, test } from "vitest";
import { type Asker, FairQueue, OverloadedError } from "../../../../server/auth/load/fair-queue.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const stranger = (key: string): Asker => ({ lane: "stranger", key });
const known = (key: string): Asker => ({ lane: "known", key });

/** A queue whose work ends when the test says so. */
function controlled(options: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) {
  const clock = new ManualClock();
  const queue = new FairQueue({ places: 1, waiting: 100, waitingOfKey: 100, clock, ...options });
  /** The work in the order in which it started. */
  const started: string[] = [];
  const running: (() => void)[] = [];
  return {
    clock,
    started,
    /** Resolves to "done" or "overloaded". */
    ask: (asker: Asker, name = asker.key): Promise<string> => {
      const work = (): Promise<string> => {
        started.push(name);
        return new Promise((resolve) => running.push(() => resolve("done")));
      };
      return queue.run(asker, work).catch((error: unknown) => {
        if (error instanceof OverloadedError) return "overloaded";
        throw error;
      });
    },
    /** Lets the work that began first take that long, and end. */
    async finish(ms = 0): Promise<void> {
      await settle();
      clock.advance(ms);
      running.shift()?.();
      await settle();
    },
  };
}

/** Starts and ends of work take a few turns of the microtask queue. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test("strangers take turns by their network, however much one of them asks", async () => {
  const { ask, finish, started } = controlled();
  for (let index = 1; index <= 5; index++) void ask(stranger("flood"), `flood ${index}`);
  void ask(stranger("honest"));
  void ask(stranger("other"));
  for (let index = 0; index < 6; index++) await finish();
  expect(started).toEqual(["flood 1", "flood 2", "honest", "other", "flood 3", "flood 4", "flood 5"]);
});

test("a known caller waits for at most the work that runs, and strangers have one turn in four", async () => {
  const { ask, finish, started } = controlled();
  for (let index = 1; index <= 4; index++) void ask(stranger("flood"), `flood ${index}`);
  for (let index = 1; index <= 5; index++) void ask(known(`user ${index}`));
  for (let index = 0; index < 8; index++) await finish();
  expect(started).toEqual([
    "flood 1",
    "user 1",
    "user 2",
    "user 3",
    "flood 2",
    "user 4",
    "user 5",
    "flood 3",
    "flood 4",
  ]);
});

test("known callers take turns by user", async () => {
  const { ask, finish, started } = controlled();
  for (let index = 1; index <= 3; index++) void ask(known("busy"), `busy ${index}`);
  void ask(known("user"));
  for (let index = 0; index < 3; index++) await finish();
  expect(started).toEqual(["busy 1", "busy 2", "user", "busy 3"]);
});

test("strangers have one of two places", async () => {
  const { ask, started } = controlled({ places: 2 });
  void ask(stranger("a"));
  void ask(stranger("b"));
  await settle();
  expect(started).toEqual(["a"]);
  void ask(known("user"));
  await settle();
  expect(started).toEqual(["a", "user"]);
});

test("after the work of a stranger, strangers pause for as long as it took, and known callers do not", async () => {
  const { ask, finish, started, clock } = controlled();
  void ask(stranger("a"));
  void ask(stranger("b"));
  await finish(15);
  clock.advance(14);
  await settle();
  expect(started).toEqual(["a"]);
  void ask(known("user"));
  await settle();
  expect(started).toEqual(["a", "user"]);
  await finish();
  clock.advance(1);
  await settle();
  expect(started).toEqual(["a", "user", "b"]);
});

test("a key has a bound, and a full queue has room for a key that waits for less than another", async () => {
  const { ask, finish, started } = controlled({ waiting: 3, waitingOfKey: 3 });
  void ask(stranger("running"));
  const flood = [1, 2, 3, 4].map((index) => ask(stranger("flood"), `flood ${index}`));
  expect(await flood[3]).toBe("overloaded");
  void ask(stranger("honest"));
  expect(await flood[2]).toBe("overloaded");
  void ask(stranger("late"));
  expect(await flood[1]).toBe("overloaded");
  // Each key has one piece of work that waits now.
  expect(await ask(stranger("too late"))).toBe("overloaded");
  for (let index = 0; index < 3; index++) await finish();
  expect(started).toEqual(["running", "flood 1", "honest", "late"]);
});

test("work that fails leaves its place to the next", async () => {
  const queue = new FairQueue({ places: 1, waiting: 10, waitingOfKey: 10 });
  await expect(queue.run(stranger("a"), () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await queue.run(stranger("a"), () => Promise.resolve("next"))).toBe("next");
});
