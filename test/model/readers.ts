// The model test: three readers make random moves. Each must receive every seq once and in order, and each send must be stored
// once.
import fc from "fast-check";
import { expect, test } from "vitest";
import { waitFor } from "../../time/wait.ts";
import { TestServer } from "../support/server.ts";
import { catchUp, checkAgreement } from "./final-checks.ts";
import { applyMove, type Move, moveLists, names } from "./moves.ts";
import { Reader } from "./reader.ts";

/** A run takes a second or two. If it takes longer than this, ms, an expected event is missing. */
const LONGEST_RUN_MS = 20_000;

const LOGGED_AS_ERROR = 50;

/** Registers the model test, with that many random runs for each grace period of presence. */
export function testReaders(runs: number, timeout: number): void {
  test.each([
    ["no grace period", 0],
    ["a grace period that ends in some runs", 50],
    ["a grace period that never ends", 60_000],
  ])(
    "three readers agree with the log after random moves, with %s",
    async (_, presenceGraceMs) => {
      await fc.assert(
        fc.asyncProperty(moveLists, async (moves) => {
          await using server = await TestServer.start({ users: names, presenceGraceMs });
          await withinLimit(run(moves, server));
          expect(server.logged.filter(({ level }) => level >= LOGGED_AS_ERROR)).toEqual([]);
        }),
        // No shrinking: the same moves rarely fail twice, and shrinking takes minutes.
        { numRuns: runs, endOnFailure: true },
      );
    },
    timeout,
  );
}

async function run(moves: readonly Move[], server: TestServer): Promise<void> {
  const readers = await Promise.all(names.map(async (name) => new Reader(name, await server.logIn(name))));
  for (const move of moves) await applyMove(move, readers, server);
  await catchUp(readers);
  await checkAgreement(readers);
  for (const reader of readers) await reader.drop();
}

async function withinLimit(work: Promise<void>): Promise<void> {
  const { status } = await waitFor(work, { ms: LONGEST_RUN_MS });
  if (status !== "done") throw new Error("the run does not end");
}
