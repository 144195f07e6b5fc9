// The conformance kit: npm run conformance -- --target HOST:PORT … checks any Parley server against the contract.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { UsageError } from "../command-line/usage-error.ts";
import { ConnectError } from "../rpc/dialling/dial.ts";
import { RpcError } from "../rpc/status/status.ts";
import { help, readWanted, type Wanted } from "./arguments.ts";
import { checks } from "./checks/table.ts";
import { methodOf } from "./client/connection.ts";
import { Failure } from "./client/expect.ts";
import { jsonOf, listOf, nameWidth, rowOf, summaryOf } from "./report.ts";
import { type Result, run } from "./run.ts";

try {
  const wanted = readWanted(process.argv.slice(2), checks);
  if (wanted.action === "help") print(help.trimEnd());
  else if (wanted.action === "list") print(listOf(wanted.checks));
  else process.exitCode = exitCodeOf(await check(wanted));
} catch (error) {
  process.exitCode = 2;
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n--help tells more.\n`);
  else if (error instanceof ConnectError || error instanceof RpcError || error instanceof Failure)
    process.stderr.write(`No check could be made: ${whyNot(error)}\n`);
  else throw error;
}

function exitCodeOf(results: readonly Result[]): 0 | 1 | 2 {
  if (results.some(({ status }) => status === "failed")) return 1;
  return results.some(({ status }) => status === "passed") ? 0 : 2;
}

function whyNot(error: ConnectError | RpcError | Failure): string {
  if (error instanceof ConnectError && error.kind === "untrusted")
    return `${error.message} Say by --ca or --fingerprint what makes it the right one.`;
  const method = error instanceof RpcError ? methodOf(error) : undefined;
  return method === undefined ? error.message : `${method} is answered with: ${error.message}`;
}

async function check({ isJson, checks: chosen, restart, server, people }: Wanted): Promise<Result[]> {
  const target = server();
  const width = nameWidth(chosen);
  const results = await run({
    server: target,
    people: await people(target),
    restart: restart === undefined ? undefined : () => shell(restart),
    checks: chosen,
    ...(isJson ? {} : { onResult: (result: Result) => print(rowOf(result, width)) }),
  });
  print(isJson ? jsonOf(target.address, results) : `\n${summaryOf(results)}`);
  return results;
}

async function shell(command: string): Promise<void> {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal] = await once(child, "exit");
  if (code !== 0)
    throw new UsageError(`--restart: the command ended with ${code ?? signal}, so the run is over.`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
