// Whatever three readers live through, each is told of every seq once and in order, and every send is stored once.
import fc from "fast-check";
import { expect, test } from "vitest";
import { TestServer } from "../support/server.ts";
import { agree, settle } from "./agreement.ts";
import { lives, type Move, make, names } from "./life.ts";
import { Reader } from "./reader.ts";

/** For each grace. More find more: raise it for a change to feeds, outboxes, presence or the store. */
const RUNS = 8;

/** A life takes a second or two; after this, ms, something is awaited that never comes. */
const LONGEST_LIFE_MS = 20_000;

const LOGGED_AS_ERROR = 50;

test.each([
  ["no grace", 0],
  ["a grace that runs out now and then", 50],
  ["a grace that never runs out", 60_000],
])(
  "the lives of three readers, with %s",
  async (_, presenceGraceMs) => {
    await fc.assert(
      fc.asyncProperty(lives, async (life) => {
        await using server = await TestServer.start({ users: names, presenceGraceMs });
        await inTime(live(life, server));
        expect(server.logged.filter(({ level }) => level >= LOGGED_AS_ERROR)).toEqual([]);
      }),
      // Not made smaller: the same life seldom fails twice at the same moment, and to try takes minutes.
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  120_000,
);

async function live(life: readonly Move[], server: TestServer): Promise<void> {
  const readers = await Promise.all(names.map(async (name) => new Reader(name, await server.logIn(name))));
  for (const move of life) await make(move, readers, server);
  await settle(readers);
  await agree(readers);
  for (const reader of readers) await reader.drop();
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("the life never ends")), LONGEST_LIFE_MS);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
