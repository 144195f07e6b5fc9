// The entry of `parley`: runs the command line of this process, and sets its exit code.
import process from "node:process";
import { readEnvironment } from "./process/environment.ts";
import { run } from "./run.ts";

/** How long the process may take to end by itself once its command is done, ms. */
const lastResortMs = 5_000;

process.exitCode = await run(process.argv.slice(2), readEnvironment());
setTimeout(() => process.exit(), lastResortMs).unref();
