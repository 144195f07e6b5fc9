// The signals that end a chat: the first one starts an orderly end, and repeated hang-ups do not cut that end short.
import { ENDING_SIGNALS, type EndingSignal, type TerminalHost } from "../../terminal/terminal-host.ts";

/** Turns the signals that end a process into an abort signal, for a chat that runs without a screen. */
export class Interruption implements Disposable {
  readonly #host: TerminalHost;
  readonly #controller = new AbortController();
  readonly #listeners = ENDING_SIGNALS.map((name) => ({
    name,
    // Only once: the same signal a second time ends the process as usual.
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
 * Ignores SIGHUP beyond the listener that ends the chat. When a window is closed, the kernel and the shell may both send
 * SIGHUP: the later ones must not end the process before the log-out is done.
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
