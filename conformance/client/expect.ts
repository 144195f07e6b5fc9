// Assertions of the checks. A failure tells the author of the server what was expected and what came.

import { inspect, isDeepStrictEqual } from "node:util";
import { delay } from "../../time/wait.ts";

/** The server does not do what the contract says. */
export class CheckFailure extends Error {
  override name = "CheckFailure";
  readonly expected: string;
  readonly came: string;

  constructor(what: string, expected: string, came: string) {
    super(`${what}: expected ${expected}, came ${came}`);
    this.expected = `${what}: ${expected}`;
    this.came = came;
  }
}

/** The check cannot be run, for a reason that is not a fault of the server. */
export class Skip extends Error {
  override name = "Skip";
}

/** The server limits the rate of calls, which is allowed: the check is run again later. */
export class RetryLater extends Error {
  override name = "RetryLater";
  readonly delayMs: number;

  constructor(delayMs: number) {
    super("the server allows so few calls that this cannot be checked: set a higher rate");
    this.delayMs = delayMs;
  }
}

export const ONE_SESSION = "the server allows only one session of a user at a time";

/** How long `eventually` waits between attempts, ms. */
const RETRY_MS = 50;
/** The longest representation of a value in a report, characters. */
const MOST_CHARACTERS = 300;

/** Asserts that two values are equal. If they are long lists, the failure shows only the first difference. */
export function equal(what: string, came: unknown, expected: unknown): void {
  if (isDeepStrictEqual(came, expected)) return;
  if (Array.isArray(came) && Array.isArray(expected)) {
    const at = [...came, undefined].findIndex((item, index) => !isDeepStrictEqual(item, expected[index]));
    const [wanted, got] = [expected, came].map((list) =>
      at < list.length ? show(list[at]) : `nothing after ${list.length}`,
    );
    const short = expected.length + came.length <= 8;
    throw new CheckFailure(
      what,
      short ? show(expected) : `${wanted} at position ${at + 1} of ${expected.length}`,
      short ? show(came) : `${got}`,
    );
  }
  throw new CheckFailure(what, show(expected), show(came));
}

/** @param expected a phrase that follows "expected" in the report */
export function isTrue(what: string, condition: boolean, expected: string, came: unknown): void {
  if (!condition) throw new CheckFailure(what, expected, show(came));
}

/** Returns a value that the contract requires to be set. */
export function present<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new CheckFailure(what, "it to be set", "nothing");
  return value;
}

export function show(value: unknown): string {
  if (typeof value === "string" && /^[\w .:@-]+$/.test(value)) return value;
  const text = inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 12 });
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

/** Asks repeatedly until the answer is as expected, for effects that no event announces. @throws CheckFailure */
export async function eventually(
  what: string,
  patienceMs: number,
  ask: () => Promise<unknown>,
  expected: unknown,
): Promise<void> {
  const end = performance.now() + patienceMs;
  for (let came = await ask(); !isDeepStrictEqual(came, expected); came = await ask()) {
    if (performance.now() > end) throw new CheckFailure(what, show(expected), show(came));
    await delay(RETRY_MS);
  }
}
