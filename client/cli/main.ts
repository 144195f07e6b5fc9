// The entry of `parley`: runs the command line of this process, and sets its exit code.
import process from "node:process";
import { run } from "./dispatch/run.ts";
import { readEnvironment } from "./process/environment.ts";

/** How long the process may take to end by itself once its command is done, ms. */
const lastResortMs = 5_000;

// Not awaited: a module that is loaded for the command may import one that waits for this module.
void run(process.argv.slice(2), readEnvironment()).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), lastResortMs).unref();
});
