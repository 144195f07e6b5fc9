// The follower of a log that other processes write to, over a log in memory.
import { expect, test } from "vitest";
import { LogFollower } from "../../../server/store/log-follower.ts";
import type { CommittedGroup } from "../../../server/store/store.ts";

/** A log of positions, and a follower of it that notes what is announced. */
function fixture({ atOnce = 2 } = {}) {
  let end = 0;
  let failure: Error | undefined;
  const reads: number[] = [];
  const announced: string[] = [];
  let taking: Promise<void> | undefined;
  const group = (from: number, to: number): CommittedGroup => ({ from, to, entries: [] });
  const follower = new LogFollower(
    0,
    (position) => {
      reads.push(position);
      if (failure !== undefined) return Promise.reject(failure);
      return Promise.resolve(
        position >= end ? undefined : group(position + 1, Math.min(end, position + atOnce)),
      );
    },
    ({ from, to }) => {
      announced.push(`${from}-${to}`);
      return taking;
    },
  );
  return {
    follower,
    reads,
    announced,
    /** Another process commits entries. */
    grow: (count: number) => {
      end += count;
    },
    /** This process commits entries. */
    commit: (count: number) => {
      end += count;
      follower.take(group(end - count + 1, end));
    },
    fail: (error: Error | undefined) => {
      failure = error;
    },
    take: (promise: Promise<void> | undefined) => {
      taking = promise;
    },
  };
}

test("own commits are announced at once, without a read", () => {
  const { commit, announced, reads } = fixture();
  commit(1);
  commit(3);
  expect(announced).toEqual(["1-1", "2-4"]);
  expect(reads).toEqual([]);
});

test("a commit after those of others waits until they were read", async () => {
  const { follower, commit, grow, announced } = fixture();
  commit(1);
  grow(3);
  commit(2);
  expect(announced).toEqual(["1-1"]);
  await follower.look();
  expect(announced).toEqual(["1-1", "2-3", "4-5", "6-6"]);
  commit(1);
  expect(announced.at(-1)).toBe("7-7");
  expect(follower.position).toBe(7);
});

test("a look finds what was committed before it, although a read was under way", async () => {
  const { follower, grow, announced } = fixture({ atOnce: 10 });
  grow(1);
  const first = follower.look();
  await Promise.resolve();
  grow(1);
  await follower.look();
  expect(announced.at(-1)?.endsWith("-2")).toBe(true);
  await first;
});

test("a look that fails is reported, and the next one announces everything once", async () => {
  const { follower, grow, commit, fail, announced } = fixture();
  grow(2);
  fail(new Error("no disk"));
  await expect(follower.look()).rejects.toThrow("no disk");
  commit(1);
  await expect(follower.look()).rejects.toThrow("no disk");
  fail(undefined);
  await follower.look();
  expect(announced).toEqual(["1-2", "3-3"]);
});

test("while a group is being taken, later ones are not kept, and are read then", async () => {
  const { follower, commit, take, announced, reads } = fixture();
  const taken = Promise.withResolvers<void>();
  take(taken.promise);
  commit(1);
  take(undefined);
  commit(1);
  commit(1);
  expect(announced).toEqual(["1-1"]);
  taken.resolve();
  await follower.look();
  expect(announced).toEqual(["1-1", "2-3"]);
  expect(reads[0]).toBe(1);
});

test("own commits during a read are announced at once, and what the read finds is not announced again", async () => {
  const { follower, commit, announced, reads } = fixture();
  commit(1);
  const looking = follower.look();
  await Promise.resolve();
  commit(1);
  commit(2);
  expect(announced).toEqual(["1-1", "2-2", "3-4"]);
  await looking;
  expect(announced).toHaveLength(3);
  expect(reads).toEqual([1]);
});

test("nothing is announced after the disposal", async () => {
  const { follower, commit, grow, announced } = fixture();
  follower[Symbol.dispose]();
  commit(1);
  grow(1);
  await follower.look();
  expect(announced).toEqual([]);
});
