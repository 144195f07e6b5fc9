// The signals that end a chat: the first one starts an orderly shutdown, which further SIGHUPs do not interrupt.
import { ENDING_SIGNALS, type EndingSignal, type TerminalHost } from "../../terminal/terminal-host.ts";

/** Turns the signals that end a process into an abort signal, for a chat that runs without a screen. */
export class Interruption implements Disposable {
  readonly #host: TerminalHost;
  readonly #controller = new AbortController();
  readonly #listeners = ENDING_SIGNALS.map((name) => ({
    name,
    // The listener is removed, so that the same signal ends the process as usual the second time.
    listener: () => {
      this.#off(name);
      this.#controller.abort(name);
    },
  }));

  constructor(host: TerminalHost) {
    this.#host = host;
    for (const { name, listener } of this.#listeners) host.on(name, listener);
  }

  /** Aborted with the name of the signal as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const { name } of this.#listeners) this.#off(name);
  }

  #off(name: EndingSignal): void {
    for (const entry of this.#listeners) if (entry.name === name) this.#host.off(name, entry.listener);
  }
}

/**
 * Keeps further SIGHUPs from ending the process. When a window is closed, the kernel and the shell may both send
 * SIGHUP, and the second one must not end the process before the log-out is done.
 */
export class HangUps implements Disposable {
  readonly #host: TerminalHost;
  readonly #listener = (): void => undefined;

  constructor(host: TerminalHost) {
    this.#host = host;
    host.on("SIGHUP", this.#listener);
  }

  [Symbol.dispose](): void {
    this.#host.off("SIGHUP", this.#listener);
  }
}
