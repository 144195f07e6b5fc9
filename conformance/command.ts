// The command of the conformance kit, from its arguments to its exit code.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { UsageError } from "../command-line/usage-error.ts";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import { help, type KitOptions, readKitOptions } from "./arguments.ts";
import { checks } from "./checks/table.ts";
import { methodOf } from "./client/connection.ts";
import { CheckFailure } from "./client/expect.ts";
import { jsonOf, listOf, nameWidth, rowOf, summaryOf } from "./report.ts";
import { type Result, run } from "./run.ts";

/** Where the command prints its results, or why there are none. */
export interface KitOutput {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** @returns the exit code: 0 if no check failed, 1 if a check failed, 2 if no check could be run */
export async function runCommand(argv: readonly string[], output: KitOutput): Promise<0 | 1 | 2> {
  try {
    const options = readKitOptions(argv, checks);
    if (options.action === "help") output.print(help);
    else if (options.action === "list") output.print(`${listOf(options.checks)}\n`);
    else return exitCodeOf(await check(options, output));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) output.complain(`${error.message}\n--help shows all flags.\n`);
    else if (error instanceof ConnectError || error instanceof RpcError || error instanceof CheckFailure)
      output.complain(`No check could be run: ${whyNot(error)}\n`);
    else throw error;
    return 2;
  }
}

function exitCodeOf(results: readonly Result[]): 0 | 1 | 2 {
  if (results.some(({ status }) => status === "failed")) return 1;
  return results.some(({ status }) => status === "passed") ? 0 : 2;
}

function whyNot(error: ConnectError | RpcError | CheckFailure): string {
  if (error instanceof ConnectError && error.kind === "untrusted")
    return `${error.message} Name its authority with --ca, or its key with --fingerprint.`;
  const method = error instanceof RpcError ? methodOf(error) : undefined;
  return method === undefined ? error.message : `${method} failed: ${error.message}`;
}

async function check(options: KitOptions, { print }: KitOutput): Promise<Result[]> {
  const { isJson, checks: chosen, restart, server, users } = options;
  const target = await server();
  const width = nameWidth(chosen);
  const results = await run({
    server: target,
    users: await users(target),
    restart: restart === undefined ? undefined : () => shell(restart),
    checks: chosen,
    ...(isJson ? {} : { onResult: (result: Result) => print(`${rowOf(result, width)}\n`) }),
  });
  print(isJson ? `${jsonOf(target.address, results)}\n` : `\n${summaryOf(results)}\n`);
  return results;
}

async function shell(command: string): Promise<void> {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal] = await once(child, "exit");
  if (code !== 0)
    throw new UsageError(`--restart: the command failed with ${code ?? signal}, so the run was stopped.`);
}
