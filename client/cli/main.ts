// The entry of `parley`: runs the command line of this process, and sets its exit code.
import process from "node:process";
import { run } from "./dispatch/run.ts";
import { readEnvironment } from "./process/environment.ts";
import { Exit } from "./process/exit.ts";

/** How long the process may take to end by itself once its command is done, ms. */
const lastResortMs = 5_000;

/** Node.js would end with exit code 0 if a command that has not ended leaves it nothing to wait for. */
function failUnfinished(): void {
  process.stderr.write("Something failed in this program: it waits for an event that cannot occur.\n");
  process.exitCode = Exit.REFUSED;
}

// Other users of the machine can list the arguments of all processes, and those of join and signup contain an invite.
const secretive = process.argv.slice(2).find((word) => word === "join" || word === "signup");
if (secretive !== undefined) process.title = `parley ${secretive}`;

process.once("beforeExit", failUnfinished);
// Not awaited: a module that is loaded for the command may import one that waits for this module.
void run(process.argv.slice(2), readEnvironment()).then((code) => {
  process.off("beforeExit", failUnfinished);
  process.exitCode = code;
  setTimeout(() => process.exit(), lastResortMs).unref();
});
