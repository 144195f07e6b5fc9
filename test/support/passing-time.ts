// Lets time pass on a server's manual clock, in steps, with work between the steps.
import { reasonOf } from "./client.ts";
import type { ManualClock } from "./manual-clock.ts";
import type { TestServer } from "./server.ts";

export interface Passing {
  readonly server: TestServer;
  readonly clock: ManualClock;
  /** How much time passes in one step, ms. */
  readonly stepMs: number;
}

/** More steps than any test needs: beyond them, an event is missing that should have happened. */
const MOST_STEPS = 500;

/**
 * Does the work and advances the clock by one step, until the promise settles. After each step the server has answered
 * a call, so that it has seen what was sent before.
 * @throws Error if the promise has not settled after 500 steps; and what the promise or the work throws
 */
export async function passUntil<T>(
  promise: Promise<T>,
  { server, clock, stepMs }: Passing,
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
  throw new Error(`nothing happened in ${MOST_STEPS} steps of ${stepMs} ms`);
}
