// Owns the terminal of an interactive program: raw mode, keys, signals and job control, and restoring it at the end.
import type { Readable, Writable } from "node:stream";
import { KeyReader } from "./input/key-reader.ts";
import type { Key } from "./input/keys.ts";
import { ENDING_SIGNALS, type EndingSignal, isGone, type TerminalHost } from "./terminal-host.ts";
import type { ColourSource } from "./text/paint.ts";

export interface TerminalInput extends Readable {
  setRawMode?(on: boolean): unknown;
}

export interface TerminalOutput extends Writable, ColourSource {
  readonly columns?: number;
  readonly rows?: number;
}

/** Why the terminal is no longer owned. */
export type Closed =
  | { readonly reason: "disposed" | "input-ended" | "output-gone" }
  | { readonly reason: "signal"; readonly signal: EndingSignal }
  /** Reading or writing failed for another reason than a terminal that went away, or the process is crashing. */
  | { readonly reason: "failed"; readonly error: Error };

export interface OwnerOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly host: TerminalHost;
  onKeys(keys: readonly Key[]): void;
  /** The terminal was taken; `again`: after a stop, so its content may have changed. */
  onTaken(again: boolean): void;
  /** The terminal is about to be given back: writes the last frame and the sequences that restore it. */
  onGiveBack(): void;
  onResize(): void;
  /** The output takes more. */
  onDrain(): void;
  /** The terminal was given back for good. */
  onClosed(): void;
}

type Listening = readonly [
  emitter: Pick<NodeJS.EventEmitter, "on" | "off">,
  event: string,
  listener: (error: Error) => void,
];

/** If the process has not been stopped after this time (no shell controls its job), it takes the terminal again, ms. */
const RESUME_MS = 200;

/**
 * Owns the terminal from `take` to `close`. It is given back at `close`, at the end of the process (SIGKILL excepted)
 * and when the process is stopped (Ctrl-Z), and taken again when the process continues.
 */
export class TerminalOwner {
  /** Resolves when the terminal was given back, with the reason; never rejects. */
  readonly closed: Promise<Closed>;
  readonly #options: OwnerOptions;
  readonly #endings: readonly Listening[];
  readonly #resolveClosed: (closed: Closed) => void;
  #keys: KeyReader | undefined;
  #state: "open" | "suspended" | "closed" = "open";
  #resumeTimer: NodeJS.Timeout | undefined;

  constructor(options: OwnerOptions) {
    const { promise, resolve } = Promise.withResolvers<Closed>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#options = options;
    this.#endings = ENDING_SIGNALS.map((signal) => [
      options.host,
      signal,
      () => this.close({ reason: "signal", signal }),
    ]);
  }

  get state(): "open" | "suspended" | "closed" {
    return this.#state;
  }

  /** Sets raw mode before the first read, so that keys typed ahead are neither lost nor echoed. */
  take(): void {
    const { input, output, onKeys, onTaken } = this.#options;
    this.#setRaw(true);
    this.#keys = new KeyReader(input, onKeys);
    for (const [emitter, event, listener] of this.#listeners) emitter.on(event, listener);
    // These stay after the end: the last write may still fail, which must not become an uncaught exception.
    input.on("error", this.#onError);
    output.on("error", this.#onError);
    onTaken(false);
  }

  close(closed: Closed): void {
    const before = this.#state;
    if (before === "closed") return;
    // Set first: with a terminal that hung up, giving it back fails and calls this again.
    this.#state = "closed";
    if (before === "open") this.#giveBack();
    clearTimeout(this.#resumeTimer);
    this.#keys?.[Symbol.dispose]();
    for (const [emitter, event, listener] of this.#listeners) emitter.off(event, listener);
    this.#options.onClosed();
    this.#resolveClosed(closed);
  }

  /** Gives the terminal back and stops the whole job, as the terminal does at Ctrl-Z. */
  readonly suspend = (): void => {
    if (this.#state !== "open") return;
    this.#state = "suspended";
    this.#giveBack();
    // Giving the terminal back may have failed and closed this owner.
    if (this.#isClosed) return;
    const { host } = this.#options;
    host.off("SIGTSTP", this.suspend);
    host.kill(0, "SIGTSTP");
    this.#resumeTimer = setTimeout(this.#resume, RESUME_MS);
  };

  /** Takes the terminal again after a stop by `suspend` or from outside. The shell may have changed every mode. */
  readonly #resume = (): void => {
    clearTimeout(this.#resumeTimer);
    if (this.#state === "closed") return;
    if (this.#state === "suspended") this.#options.host.on("SIGTSTP", this.suspend);
    this.#state = "open";
    // Node.js does not set a mode that it believes to be set, so the mode is changed twice.
    this.#setRaw(false);
    this.#setRaw(true);
    this.#options.onTaken(true);
  };

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  get #listeners(): readonly Listening[] {
    const { input, output, host } = this.#options;
    return [
      [input, "end", this.#onEnd],
      [input, "close", this.#onEnd],
      [output, "close", this.#onOutputClose],
      [output, "drain", this.#options.onDrain],
      [output, "resize", this.#options.onResize],
      [host, "SIGTSTP", this.suspend],
      [host, "SIGCONT", this.#resume],
      [host, "exit", this.#onExit],
      [host, "uncaughtExceptionMonitor", this.#onCrash],
      ...this.#endings,
    ];
  }

  #giveBack(): void {
    this.#options.onGiveBack();
    this.#setRaw(false);
  }

  #setRaw(on: boolean): void {
    try {
      this.#options.input.setRawMode?.(on);
    } catch (error) {
      // A terminal that hung up has no modes. Its input ends, which closes the owner.
      if (!isGone(error)) throw error;
    }
  }

  readonly #onEnd = (): void => this.close({ reason: "input-ended" });
  readonly #onOutputClose = (): void => this.close({ reason: "output-gone" });
  readonly #onError = (error: Error): void =>
    this.close(isGone(error) ? { reason: "output-gone" } : { reason: "failed", error });
  readonly #onExit = (): void => this.close({ reason: "disposed" });
  readonly #onCrash = (error: Error): void => this.close({ reason: "failed", error });
}
