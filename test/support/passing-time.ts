// Advances a server's manual clock in steps until something has happened.
import { reasonOf } from "./client.ts";
import type { ManualClock } from "./manual-clock.ts";
import type { TestServer } from "./server.ts";

export interface Steps {
  readonly server: TestServer;
  readonly clock: ManualClock;
  /** By how much each step advances the clock, ms. */
  readonly stepMs: number;
}

/** More steps than any test needs. If they are not enough, the expected event is missing. */
const MOST_STEPS = 500;

/**
 * Does the work and advances the clock by one step, again and again until the promise settles. Each step ends with a call
 * that the server has answered, so the server has also read what was sent before the call.
 * @throws Error if the promise has not settled after 500 steps; and what the promise or the work throws
 */
export async function advanceUntil<T>(
  promise: Promise<T>,
  { server, clock, stepMs }: Steps,
  work: () => Promise<unknown> | unknown = () => undefined,
): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  const caller = server.anonymous();
  for (let step = 0; step < MOST_STEPS; step++) {
    await work();
    if (!settled) clock.advance(stepMs);
    await reasonOf(caller.whoelse());
    if (settled) return promise;
  }
  throw new Error(`the promise has not settled after ${MOST_STEPS} steps of ${stepMs} ms`);
}
