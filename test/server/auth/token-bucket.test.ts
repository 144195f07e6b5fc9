// The token bucket: the burst, the rate, and the debt of a count above the capacity.
import { expect, test } from "vitest";
import { TokenBucket } from "../../../server/auth/token-bucket.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("allows a burst of two seconds, then the rate", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(10, undefined, clock);
  for (let taken = 0; taken < 20; taken++) expect(bucket.take(1)).toBe(0);
  expect(bucket.take(1)).toBe(100);
  clock.advance(50);
  expect(Math.abs(bucket.take(1) - 50)).toBeLessThanOrEqual(1);
  clock.advance(51);
  expect(bucket.take(1)).toBe(0);
});

test("contains at most its capacity, however long it is not used", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(10, 3, clock);
  clock.advance(3_600_000);
  expect(bucket.take(3)).toBe(0);
  expect(bucket.take(1)).toBe(100);
});

test("a count above the capacity is taken from a full bucket, and later counts wait for the debt", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(10, 10, clock);
  expect(bucket.take(30)).toBe(0);
  expect(bucket.take(1)).toBe(2_100);
  clock.advance(2_100);
  expect(bucket.take(1)).toBe(0);
});

test("the wall clock does not matter", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(10, 1, clock);
  expect(bucket.take(1)).toBe(0);
  clock.setWallClock(clock.now() + 3_600_000);
  expect(bucket.take(1)).toBe(100);
});
