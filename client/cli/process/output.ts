// The output of a one-shot command: results on standard output, and every other message on standard error.

import { setImmediate } from "node:timers/promises";
import { fileProblem } from "../../../command-line/file-problem.ts";
import { safeText } from "../terminal/text/safe-text.ts";
import type { Styled } from "../terminal/text/style.ts";
import type { Environment } from "./environment.ts";
import { CommandError, Exit } from "./exit.ts";

/** A message of the contract, with its name and codec. */
export interface Message<T> {
  /** Such as "parley.chat.v1.Ack". */
  readonly typeName: string;
  readonly codec: { encode(value: T): { finish(): Uint8Array } };
  readonly value: T;
}

export class Output {
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #json: boolean;
  readonly #gone = new AbortController();
  #failure: Error | undefined;

  constructor({ stdout, stderr }: Environment, json: boolean) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#json = json;
    stdout.on("error", (error: Error) => {
      // A reader may stop early, as in `parley tail | head -1`. Any other error, such as a full disk, is a failure.
      if (!("code" in error) || error.code !== "EPIPE") this.#failure = error;
      this.#gone.abort();
    });
    // There is no other place to report it.
    stderr.on("error", () => undefined);
  }

  /** Aborted when standard output has failed, or its reader has closed it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Call it at the end. @throws CommandError if standard output has failed */
  async finish(): Promise<void> {
    // A file is written at once, and its error is emitted a little later.
    await setImmediate();
    this.#checkFailure();
  }

  /** @throws CommandError as `result` does */
  check(): void {
    this.#checkFailure();
    if (this.#gone.signal.aborted) throw new CommandError(Exit.DONE, "");
  }

  /**
   * Prints a result: with --json the message as one line of canonical JSON, otherwise the text, if there is one.
   * Resolves when the stream accepts more.
   * @throws CommandError if standard output has failed; without a message and with exit code 0 if its reader closed it
   */
  async result<T>(message: Message<T>, text: Styled | undefined): Promise<void> {
    if (this.#json) {
      const { protoJson } = await import("./proto-json.ts");
      await this.#write(protoJson(message.typeName, message.codec.encode(message.value).finish()));
    } else if (text !== undefined) await this.line(text);
  }

  /** Prints text that is not a message of the contract. Not for commands with --json. */
  async line(text: Styled): Promise<void> {
    await this.#write(text.plain);
  }

  /** Prints a line unchanged; the caller has made it safe for a terminal. Resolves and rejects as `result` does. */
  async exact(line: string): Promise<void> {
    await this.#write(line);
  }

  /** Prints a sentence on standard error, in one line. */
  notice(sentence: string): void {
    this.#stderr.write(`${safeText(sentence)}\n`);
  }

  async #write(line: string): Promise<void> {
    this.check();
    if (!this.#stdout.write(`${line}\n`)) await this.#drained();
    this.check();
  }

  #checkFailure(): void {
    if (this.#failure === undefined) return;
    const problem = fileProblem(this.#failure);
    throw new CommandError(Exit.REFUSED, `Standard output cannot be written: ${problem}.`);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#stdout.off("drain", settle);
        this.#gone.signal.removeEventListener("abort", settle);
        resolve();
      };
      this.#stdout.on("drain", settle);
      this.#gone.signal.addEventListener("abort", settle);
      if (this.#gone.signal.aborted) settle();
    });
  }
}
