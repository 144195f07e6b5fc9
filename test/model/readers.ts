// The model test: three readers go through random moves; each must receive every seq once and in order, and every send
// must be stored once.
import fc from "fast-check";
import { expect, test } from "vitest";
import { waitFor } from "../../time/wait.ts";
import { TestServer } from "../support/server.ts";
import { agree, settle } from "./final-checks.ts";
import { lives, type Move, make, names } from "./moves.ts";
import { Reader } from "./reader.ts";

/** A run takes a second or two; after this, ms, an event is missing. */
const LONGEST_RUN_MS = 20_000;

const LOGGED_AS_ERROR = 50;

/** Registers the test of the model, with so many random runs for each presence grace. */
export function testReaders(runs: number, timeout: number): void {
  test.each([
    ["no grace", 0],
    ["a grace that ends now and then", 50],
    ["a grace that never ends", 60_000],
  ])(
    "three readers agree with the log after random moves, with %s",
    async (_, presenceGraceMs) => {
      await fc.assert(
        fc.asyncProperty(lives, async (life) => {
          await using server = await TestServer.start({ users: names, presenceGraceMs });
          await inTime(live(life, server));
          expect(server.logged.filter(({ level }) => level >= LOGGED_AS_ERROR)).toEqual([]);
        }),
        // Without shrinking: the same moves seldom fail twice at the same moment, and trying takes minutes.
        { numRuns: runs, endOnFailure: true },
      );
    },
    timeout,
  );
}

async function live(life: readonly Move[], server: TestServer): Promise<void> {
  const readers = await Promise.all(names.map(async (name) => new Reader(name, await server.logIn(name))));
  for (const move of life) await make(move, readers, server);
  await settle(readers);
  await agree(readers);
  for (const reader of readers) await reader.drop();
}

async function inTime(work: Promise<void>): Promise<void> {
  const { status } = await waitFor(work, { ms: LONGEST_RUN_MS });
  if (status !== "done") throw new Error("the run does not end");
}
