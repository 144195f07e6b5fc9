// A run of the kit: check after check, each with what it found.
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import type { Check } from "./checks/check.ts";
import { methodOf } from "./client/connection.ts";
import { Failure, PutOff, Skip } from "./client/expect.ts";
import { World, type WorldOptions } from "./world.ts";

/** How often a check is made that the server puts off. */
const MOST_TIMES = 5;
/** For the calls that the check begins with, ms. */
const BREATH_MS = 1_000;

export interface Result {
  readonly name: string;
  readonly says: string;
  readonly contract: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly why?: string;
  /** Of a failure: what was expected, and what came. */
  readonly expected?: string;
  readonly came?: string;
}

export interface RunOptions extends WorldOptions {
  readonly checks: readonly Check[];
  /** Told of each result as it comes. */
  readonly onResult?: (result: Result) => void;
}

/** @throws whatever keeps the users from logging in at all */
export async function run({ checks, onResult, ...options }: RunOptions): Promise<Result[]> {
  await using world = new World(options);
  await world.prepare();
  const results: Result[] = [];
  for (const check of checks) {
    const result = await runOne(world, check);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function runOne(world: World, check: Check, times = 1): Promise<Result> {
  const { name, says, contract } = check;
  try {
    await check.run(await world.prepare());
    return { name, says, contract, status: "passed" };
  } catch (error) {
    if (error instanceof PutOff && times < MOST_TIMES) {
      await world.tidy();
      await sleep(error.delayMs + BREATH_MS);
      return await runOne(world, check, times + 1);
    }
    if (error instanceof Skip || error instanceof PutOff)
      return { name, says, contract, status: "skipped", why: error.message };
    return { name, says, contract, status: "failed", ...explained(error) };
  } finally {
    await world.tidy();
  }
}

/** Anything that the server says without being expected to is a failure as well; a bug of the kit is none, and thrown. */
function explained(error: unknown): { expected: string; came: string } {
  if (error instanceof Failure) return { expected: error.expected, came: error.came };
  if (error instanceof RpcError) {
    const came = `${error.reason === "" ? status[error.code] : error.reason} (${error.message})`;
    return { expected: `${methodOf(error) ?? "a call"}: an answer`, came };
  }
  if (error instanceof ConnectError) return { expected: "a connection", came: error.message };
  throw error;
}
