// Runs the checks one after another, and collects their results.

import { status } from "@grpc/grpc-js";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import { delay } from "../time/wait.ts";
import type { Check } from "./checks/check.ts";
import { methodOf } from "./client/connection.ts";
import { CheckFailure, RetryLater, Skip } from "./client/expect.ts";
import { RunFixture, type RunFixtureOptions } from "./run-fixture.ts";

/** How many times a check is attempted if the server limits the rate of calls. */
const MOST_ATTEMPTS = 5;
/**
 * The time that is added to the delay that the server asks for, ms. It allows for the calls at the start of a check.
 */
const MARGIN_MS = 1_000;

export interface Result {
  readonly name: string;
  readonly says: string;
  readonly contract: string;
  readonly status: "passed" | "failed" | "skipped";
  /** The reason of a skip. */
  readonly why?: string;
  /** For a failure: what was expected, and what came. */
  readonly expected?: string;
  readonly came?: string;
}

export interface RunOptions extends RunFixtureOptions {
  readonly checks: readonly Check[];
  /** Called with each result as soon as it is known. */
  readonly onResult?: (result: Result) => void;
}

/** @throws the error that keeps the users from logging in before the first check */
export async function run({ checks, onResult, ...options }: RunOptions): Promise<Result[]> {
  await using fixture = new RunFixture(options);
  await fixture.prepare();
  const results: Result[] = [];
  for (const check of checks) {
    const result = await runOne(fixture, check);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function runOne(fixture: RunFixture, check: Check, attempt = 1): Promise<Result> {
  const { name, says, contract } = check;
  try {
    await check.run(await fixture.prepare());
    return { name, says, contract, status: "passed" };
  } catch (error) {
    if (error instanceof RetryLater && attempt < MOST_ATTEMPTS) {
      await fixture.cleanUp();
      await delay(error.delayMs + MARGIN_MS);
      return await runOne(fixture, check, attempt + 1);
    }
    if (error instanceof Skip || error instanceof RetryLater)
      return { name, says, contract, status: "skipped", why: error.message };
    return { name, says, contract, status: "failed", ...explained(error) };
  } finally {
    await fixture.cleanUp();
  }
}

/**
 * Explains the error of a failed check. An unexpected error of the server is a failure too; other errors are bugs of
 * the kit, and are rethrown.
 */
function explained(error: unknown): { expected: string; came: string } {
  if (error instanceof CheckFailure) return { expected: error.expected, came: error.came };
  if (error instanceof RpcError) {
    const came = `${error.reason === "" ? status[error.code] : error.reason} (${error.message})`;
    return { expected: `${methodOf(error) ?? "a call"}: an answer`, came };
  }
  if (error instanceof ConnectError) return { expected: "a connection", came: error.message };
  throw error;
}
