// The entry of `parley-server`: gives the command line its streams and signals, and the process its exit code.
import process from "node:process";
import { isatty } from "node:tty";
import { runCommandLine } from "./commands/command-line.ts";
import type { Io, SignalListeners } from "./commands/io.ts";

/** A stop is promised within 5 s; whatever still hangs then is left behind, ms. */
const LAST_RESORT_MS = 4_500;

const io: Io = {
  stdin: process.stdin,
  stderr: process.stderr,
  isInputTerminal: process.stdin.isTTY === true,
  isErrorTerminal: process.stderr.isTTY === true,
  print: (text) => {
    process.stdout.write(text);
  },
  complain: (text) => {
    process.stderr.write(text);
  },
  listen,
};

function listen({ onStop, onHangUp, onCrash }: SignalListeners): Disposable {
  const isOnTerminal = isatty(0) || isatty(1);
  const stop = (signal: "SIGTERM" | "SIGINT"): void => {
    endSoon();
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

function endSoon(): void {
  setTimeout(() => process.exit(1), LAST_RESORT_MS).unref();
}

// Whoever read our output has gone; a server goes on, and a listing has nobody left to read it.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.exitCode = await runCommandLine(process.argv.slice(2), io);
setTimeout(() => process.exit(), LAST_RESORT_MS).unref();
