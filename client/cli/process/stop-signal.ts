// Turns the signals that ask a process to end into an AbortSignal, for commands that have something to finish.
import process from "node:process";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Until it is disposed of, the first of these signals aborts, and a second one ends the process as usual. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const dispose = (): void => {
    for (const name of signals) process.off(name, stop);
  };
  const stop = (): void => {
    dispose();
    controller.abort();
  };
  for (const name of signals) process.on(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}
