// Turns the signals that ask a process to end into an AbortSignal, for commands that have something to finish.
import type { Environment } from "./environment.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Until it is disposed of, the first of these signals aborts, and a second one ends the process as usual. */
export function stopSignal({ host }: Pick<Environment, "host">): StopSignal {
  const controller = new AbortController();
  const dispose = (): void => {
    for (const name of signals) host.off(name, stop);
  };
  const stop = (): void => {
    dispose();
    controller.abort();
  };
  for (const name of signals) host.on(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}
