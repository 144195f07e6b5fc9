// Writes what a one-shot command says: results to standard output, one at a time, and all else to standard error.

import { safeText } from "../terminal/text/safe-text.ts";
import type { Styled } from "../terminal/text/style.ts";
import type { Environment } from "./environment.ts";
import { CommandError, Exit } from "./exit.ts";

/** A message of the contract, with what it takes to print it. */
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
      // Whoever read has what he wants, as in `parley tail | head -1`; a full disk is another matter.
      if (!("code" in error) || error.code !== "EPIPE") this.#failure = error;
      this.#gone.abort();
    });
    // There is nobody left to tell.
    stderr.on("error", () => undefined);
  }

  /** Aborted when nobody reads standard output any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Throws as `result` would, if standard output has failed. */
  check(): void {
    if (this.#failure !== undefined) {
      throw new CommandError(Exit.REFUSED, `Standard output cannot be written: ${this.#failure.message}.`);
    }
    if (this.#gone.signal.aborted) throw new CommandError(Exit.DONE, "");
  }

  /**
   * A result: with --json the message as one line of canonical JSON, else the text, if there is one.
   * Resolves when there is room for more.
   * @throws CommandError that ends the command quietly where nobody reads any more
   */
  async result<T>(message: Message<T>, text: Styled | undefined): Promise<void> {
    if (this.#json) {
      const { protoJson } = await import("./proto-json.ts");
      await this.#write(protoJson(message.typeName, message.codec.encode(message.value).finish()));
    } else if (text !== undefined) await this.line(text);
  }

  /** Text that is no message; being Styled, it is safe for a terminal. Not for commands with --json. */
  async line(text: Styled): Promise<void> {
    await this.#write(text.plain);
  }

  /** A line that is safe as it stands, such as JSON in which all that could harm is escaped. Resolves as `result` does. */
  async exact(line: string): Promise<void> {
    await this.#write(line);
  }

  /** A sentence for the person, on standard error. */
  notice(sentence: string): void {
    this.#stderr.write(`${safeText(sentence, { multiline: true })}\n`);
  }

  async #write(line: string): Promise<void> {
    this.check();
    if (!this.#stdout.write(`${line}\n`)) await this.#drained();
    this.check();
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
