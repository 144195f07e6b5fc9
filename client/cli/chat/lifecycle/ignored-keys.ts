// Ignores the keys that a user still types for a chat that has just ended, so that they do not go to the shell.
import type { Clock } from "../../../../time/clock.ts";
import type { TerminalInput } from "../../terminal/terminal-owner.ts";

/** Keys are ignored until none was pressed for this time, ms. */
const QUIET_MS = 1_000;
/** The longest time for which keys are ignored, ms. */
const MOST_MS = 10_000;
const CTRL_C = 0x03;

/** Takes the terminal from `start` until it is disposed of. It can be used once. */
export class IgnoredKeys implements Disposable {
  readonly #input: TerminalInput;
  readonly #clock: Clock;
  readonly #done = Promise.withResolvers<void>();
  #timers: Disposable[] = [];
  #quiet: Disposable | undefined;
  #isStarted = false;

  constructor(input: TerminalInput, clock: Clock) {
    this.#input = input;
    this.#clock = clock;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#input.setRawMode?.(true);
    this.#input.on("data", this.#onKeys);
    for (const event of ["end", "close", "error"]) this.#input.on(event, this.#end);
    this.#input.resume();
  }

  /** Resolves when the user has stopped typing; immediately if this was not started. */
  async untilQuiet(): Promise<void> {
    if (!this.#isStarted) return;
    this.#timers = [this.#clock.after(MOST_MS, this.#end)];
    this.#restart();
    await this.#done.promise;
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#isStarted) return;
    this.#end();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#quiet?.[Symbol.dispose]();
    this.#input.off("data", this.#onKeys);
    // The listener for errors stays: an error of a terminal that goes away later would end the program.
    for (const event of ["end", "close"]) this.#input.off(event, this.#end);
    this.#input.pause();
    this.#input.setRawMode?.(false);
  }

  readonly #onKeys = (chunk: Uint8Array | string): void => {
    if (Buffer.from(chunk).includes(CTRL_C)) this.#end();
    else if (this.#timers.length > 0) this.#restart();
  };

  readonly #end = (): void => this.#done.resolve();

  #restart(): void {
    this.#quiet?.[Symbol.dispose]();
    this.#quiet = this.#clock.after(QUIET_MS, this.#end);
  }
}
