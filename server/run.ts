// Runs the command line of this process: connects it to the streams and signals, and sets the exit code.
import process from "node:process";
import { isatty } from "node:tty";
import { safeLines } from "../command-line/one-line.ts";
import type { Replacements } from "./commands/command.ts";
import type { Io, SignalListeners } from "./commands/io.ts";
import { runCommandLine } from "./commands/run-command.ts";

/** How long after a stop signal, or after the end of its command, the process ends even if something still runs, ms. */
const LAST_RESORT_MS = 4_500;

const io: Io = {
  stdin: process.stdin,
  stderr: process.stderr,
  isInputTerminal: process.stdin.isTTY === true,
  isErrorTerminal: process.stderr.isTTY === true,
  print: (text) => {
    process.stdout.write(safeLines(text));
  },
  complain: (text) => {
    process.stderr.write(safeLines(text));
  },
  listen,
};

/** @param replacements for tests */
export async function run(replacements: Replacements = {}): Promise<void> {
  // If the reader of the output closes it, ignore the error: a server continues, and a listing has no reader left.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  process.exitCode = await runCommandLine(process.argv.slice(2), io, replacements);
  setTimeout(() => process.exit(), LAST_RESORT_MS).unref();
}

function listen({ onStop, onHangUp, onCrash }: SignalListeners): Disposable {
  const isOnTerminal = isatty(0) || isatty(1);
  const stop = (signal: "SIGTERM" | "SIGINT"): void => {
    setTimeout(() => process.exit(1), LAST_RESORT_MS).unref();
    onStop(signal);
  };
  const hangUp = (): void => onHangUp(isOnTerminal && !isatty(0) && !isatty(1));
  process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", hangUp);
  process.on("uncaughtExceptionMonitor", onCrash);
  return {
    [Symbol.dispose]: () => {
      process.off("SIGTERM", stop).off("SIGINT", stop).off("SIGHUP", hangUp);
      process.off("uncaughtExceptionMonitor", onCrash);
    },
  };
}
