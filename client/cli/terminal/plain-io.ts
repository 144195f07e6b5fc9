// Reads and writes whole lines: the input and output of plain mode, for pipes, scripts and dumb terminals.
import type { Readable, Writable } from "node:stream";
import { type LineRead, LineSplitter } from "./input/line-splitter.ts";
import { readSecret } from "./input/secret-input.ts";
import { isGone } from "./terminal-host.ts";
import { type Styled, toStyled } from "./text/style.ts";

export interface PlainInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  unref?(): unknown;
}

const LF = 0x0a;
const CR = 0x0d;

/** `interrupted`: Ctrl-C while a secret was typed. A terminal in raw mode sends no signal for it. */
export type Answer = LineRead | { readonly kind: "interrupted" };

/**
 * The only reader and writer of plain mode for the life of the process: answers to prompts and the lines after them
 * come from the same buffer, so that no piped input is lost. It reads only on request, and answers calls in order.
 * After the output went away, writes resolve and do nothing.
 */
export class PlainIO implements Disposable {
  /** Resolves when the reader of the output went away, or with the error if the output failed otherwise. */
  readonly outputGone: Promise<Error | undefined>;
  readonly #input: PlainInput;
  readonly #output: Writable;
  readonly #splitter = new LineSplitter();
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #inputEnded = false;
  #closed = false;
  #resolveGone: (error: Error | undefined) => void = () => {};

  constructor(options: { readonly input: PlainInput; readonly output: Writable }) {
    this.#input = options.input;
    this.#output = options.output;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.outputGone = promise;
    this.#resolveGone = resolve;
    // With "readable" the stream buffers no more than its high-water mark until the next request.
    this.#input.on("readable", this.#onReadable);
    this.#input.on("end", this.#onEnd);
    this.#input.on("close", this.#onEnd);
    this.#input.on("error", this.#onEnd);
    this.#output.on("error", this.#onOutputError);
    this.#output.on("close", this.#onOutputClose);
  }

  /** Whether the lines are typed at a terminal. */
  get isTerminal(): boolean {
    return this.#input.isTTY === true;
  }

  /**
   * The next line. A line that is too long or not UTF-8 is returned as refused; the lines after it are not affected.
   */
  readLine(): Promise<LineRead> {
    return this.#inTurn(() => this.#nextLine());
  }

  /** Writes the question without a newline, and reads the answer. */
  ask(question: string): Promise<LineRead> {
    return this.#inTurn(async () => {
      await this.#write(toStyled(question).plain);
      return this.#nextLine();
    });
  }

  /** Like `ask`; at a terminal the answer is not shown. */
  askSecret(question: string): Promise<Answer> {
    return this.#inTurn(async () => {
      const { isTTY } = this.#input;
      if (isTTY !== true || this.#input.setRawMode === undefined) {
        await this.#write(toStyled(question).plain);
        return this.#nextLine();
      }
      this.#input.setRawMode(true);
      try {
        await this.#write(toStyled(question).plain);
        return await readSecret(this.#splitter, () => this.#more());
      } finally {
        this.#input.setRawMode(false);
        // Also after the end of this reader, so that a shell's prompt does not begin in the row of the question.
        if (this.#output.writable) this.#output.write("\n");
      }
    });
  }

  /** The lines until the end of the input. Leaving the loop loses no line: the next reader continues. */
  async *lines(): AsyncGenerator<Exclude<LineRead, { kind: "end" }>, void> {
    for (;;) {
      const read = await this.readLine();
      if (read.kind === "end") return;
      yield read;
    }
  }

  /** Writes one text and a newline, without escapes; strings are made safe. Resolves when the output takes more. */
  writeLine(text: Styled | string): Promise<void> {
    return this.#write(`${toStyled(text).plain}\n`);
  }

  /** Stops reading and writing, and lets the process end even if its input stays open. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#input.off("readable", this.#onReadable);
    this.#input.off("end", this.#onEnd);
    this.#input.off("close", this.#onEnd);
    this.#input.pause();
    // A paused stream that was read by "readable" keeps its handle reading, which keeps the process alive.
    this.#input.unref?.();
    this.#wake?.();
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(read);
    // The next call waits for this one, whether it succeeds or fails. Only this caller gets the error.
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #nextLine(): Promise<LineRead> {
    for (;;) {
      const read = this.#splitter.next();
      if (read !== undefined) return read;
      if (!(await this.#more())) return this.#splitter.last();
    }
  }

  /** Waits for bytes and gives them to the splitter; false at the end of the input. */
  async #more(): Promise<boolean> {
    for (;;) {
      if (this.#closed) return false;
      const chunk: unknown = this.#input.read();
      if (chunk !== null) {
        const bytes = toBytes(chunk);
        // Enter is a CR if it was typed in raw mode, after a secret and before the mode was changed back.
        this.#splitter.push(
          this.#input.isTTY === true ? bytes.map((code) => (code === CR ? LF : code)) : bytes,
        );
        return true;
      }
      if (this.#inputEnded || this.#input.destroyed || this.#input.readableEnded) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #write(text: string): Promise<void> {
    const output = this.#output;
    if (output.destroyed || !output.writable || this.#closed) return Promise.resolve();
    if (output.write(text)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        output.off("drain", done);
        output.off("error", done);
        output.off("close", done);
        resolve();
      };
      output.on("drain", done);
      output.on("error", done);
      output.on("close", done);
    });
  }

  readonly #onReadable = (): void => this.#wake?.();

  readonly #onEnd = (): void => {
    this.#inputEnded = true;
    this.#wake?.();
  };

  readonly #onOutputError = (error: Error): void => this.#resolveGone(isGone(error) ? undefined : error);

  readonly #onOutputClose = (): void => this.#resolveGone(undefined);
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  // The stream has an encoding.
  return Buffer.from(String(chunk), "utf8");
}
