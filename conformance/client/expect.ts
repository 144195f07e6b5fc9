// What a check expects. A failure says what was expected and what came, in words for whoever writes the server.
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";

/** The server does not do what the contract says. */
export class Failure extends Error {
  override name = "Failure";
  readonly expected: string;
  readonly came: string;

  constructor(what: string, expected: string, came: string) {
    super(`${what}: expected ${expected}, came ${came}`);
    this.expected = `${what}: ${expected}`;
    this.came = came;
  }
}

/** The check cannot be made here, for a reason that is no fault of the server. */
export class Skip extends Error {
  override name = "Skip";
}

/** The server takes no more calls for a while, as it may: the check is made again. */
export class PutOff extends Error {
  override name = "PutOff";
  readonly delayMs: number;

  constructor(delayMs: number) {
    super("the server takes so few calls that this cannot be checked: give it a higher rate");
    this.delayMs = delayMs;
  }
}

export const ONE_SESSION = "the server allows no further session of one user at once";

/** How long to wait before asking again, ms. */
const AGAIN_MS = 50;
/** Characters of one value in a report. */
const LONGEST = 300;

/** Of two lists the first difference is told, not the lists. */
export function equal(what: string, came: unknown, expected: unknown): void {
  if (isDeepStrictEqual(came, expected)) return;
  if (Array.isArray(came) && Array.isArray(expected)) {
    const at = [...came, undefined].findIndex((item, index) => !isDeepStrictEqual(item, expected[index]));
    const [wanted, got] = [expected, came].map((list) =>
      at < list.length ? show(list[at]) : `nothing after ${list.length}`,
    );
    const short = expected.length + came.length <= 8;
    throw new Failure(
      what,
      short ? show(expected) : `${wanted} at place ${at + 1} of ${expected.length}`,
      short ? show(came) : `${got}`,
    );
  }
  throw new Failure(what, show(expected), show(came));
}

/** @param expected a phrase that goes after "expected" */
export function holds(what: string, isSo: boolean, expected: string, came: unknown): void {
  if (!isSo) throw new Failure(what, expected, show(came));
}

/** A value of which the contract says that it is set. */
export function present<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new Failure(what, "it to be set", "nothing");
  return value;
}

export function show(value: unknown): string {
  if (typeof value === "string" && /^[\w .:@-]+$/.test(value)) return value;
  const text = inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 12 });
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Asks again until it is so: for what the contract has come true soon, and tells by no event. @throws Failure */
export async function eventually(
  what: string,
  patienceMs: number,
  ask: () => Promise<unknown>,
  expected: unknown,
): Promise<void> {
  const end = performance.now() + patienceMs;
  for (let came = await ask(); !isDeepStrictEqual(came, expected); came = await ask()) {
    if (performance.now() > end) throw new Failure(what, show(expected), show(came));
    await sleep(AGAIN_MS);
  }
}
