// The lock on log-ins on two nodes with one store: attempts have the outcomes that one node would give.
import { expect, test } from "vitest";
import { Lockout } from "../../../server/auth/lockout.ts";
import type { Attempt } from "../../../server/store/store.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { sqliteUnderTest } from "../store/temporary.ts";

const key = "name:yoda";

async function twoNodes() {
  const under = await sqliteUnderTest();
  const clock = new ManualClock();
  const nodes = [1, 2].map(() => new Lockout(under.store.logIns, "spare-known", 60_000, clock)) as [
    Lockout,
    Lockout,
  ];
  return { nodes, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
}

const shown = (attempt: Attempt): string =>
  attempt.status === "locked" && !attempt.tried ? "refused" : attempt.status;

test("two nodes: six wrong passwords, at one node after the other, get three tries", async () => {
  await using two = await twoNodes();
  const outcomes: string[] = [];
  let checked = 0;
  for (let attempt = 0; attempt < 6; attempt++) {
    const node = two.nodes[attempt % 2 === 0 ? 0 : 1];
    outcomes.push(
      shown(
        await node.attempt(key, async () => {
          checked++;
          return Promise.resolve(false);
        }),
      ),
    );
  }
  expect(outcomes).toEqual(["wrong", "wrong", "locked", "refused", "refused", "refused"]);
  expect(checked).toBe(3);
});

test("two nodes: a password that both check at the same time tells nothing once the lock is set", async () => {
  await using two = await twoNodes();
  const wrong = () => Promise.resolve(false);
  expect(shown(await two.nodes[0].attempt(key, wrong))).toBe("wrong");
  expect(shown(await two.nodes[1].attempt(key, wrong))).toBe("wrong");
  // Both nodes have found no lock when the first result is counted.
  const checking = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const results = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()] as const;
  const attempts = two.nodes.map((node, index) =>
    node.attempt(key, () => {
      checking[index === 0 ? 0 : 1].resolve();
      return results[index === 0 ? 0 : 1].promise;
    }),
  );
  await Promise.all(checking.map(({ promise }) => promise));
  results[0].resolve(false);
  expect(await attempts[0]).toEqual({ status: "locked", tried: true, leftMs: 60_000 });
  results[1].resolve(true);
  expect(await attempts[1]).toEqual({ status: "locked", tried: false, leftMs: 60_000 });
});

test("two nodes: of ten wrong passwords at the same time, three count", async () => {
  await using two = await twoNodes();
  const attempts = Array.from({ length: 10 }, (_, index) =>
    two.nodes[index % 2 === 0 ? 0 : 1].attempt(key, () => Promise.resolve(false)),
  );
  const outcomes = (await Promise.all(attempts)).map(shown);
  expect(outcomes.filter((outcome) => outcome === "wrong")).toHaveLength(2);
  expect(outcomes.filter((outcome) => outcome === "locked")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "refused")).toHaveLength(7);
});
