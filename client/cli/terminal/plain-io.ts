// Whole lines in, whole lines out: the terminal layer of plain mode, for pipes, scripts and dumb terminals.
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

/** `interrupted`: Ctrl-C while a secret was typed, which a terminal in raw mode does not turn into a signal. */
export type Answer = LineRead | { readonly kind: "interrupted" };

/**
 * The one reader and the one writer of plain mode for the process's life: a prompt's answer and the lines after it
 * come from the same place, so that nothing that was piped in is lost. Reads only when asked to; calls are answered
 * in order. An output that went away ends quietly: writes resolve and go nowhere.
 */
export class PlainIO implements Disposable {
  /** Resolves when the output went away (nobody reads it any more), or with the error if it failed otherwise. */
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
    // "readable" rather than "data": the stream then keeps no more than its own buffer while nobody asks.
    this.#input.on("readable", this.#onReadable);
    this.#input.on("end", this.#onEnd);
    this.#input.on("close", this.#onEnd);
    this.#input.on("error", this.#onEnd);
    this.#output.on("error", this.#onOutputError);
    this.#output.on("close", this.#onOutputClose);
  }

  /** Whether a person types the lines. */
  get isTerminal(): boolean {
    return this.#input.isTTY === true;
  }

  /** The next line. A line that is too long or no UTF-8 is answered as refused, and the next ones are read as ever. */
  readLine(): Promise<LineRead> {
    return this.#inTurn(() => this.#nextLine());
  }

  /** Writes the question as it is, without a newline, and reads the answer. */
  ask(question: string): Promise<LineRead> {
    return this.#inTurn(async () => {
      await this.#write(toStyled(question).plain);
      return this.#nextLine();
    });
  }

  /** As `ask`; on a terminal the answer is not shown. */
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
        await this.#write("\n");
      }
    });
  }

  /** The lines until the end of the input. Leaving the loop loses none: the next reader goes on. */
  async *lines(): AsyncGenerator<Exclude<LineRead, { kind: "end" }>, void> {
    for (;;) {
      const read = await this.readLine();
      if (read.kind === "end") return;
      yield read;
    }
  }

  /** Writes one text and a newline, without escapes; strings are made safe. Resolves when there is room for more. */
  writeLine(text: Styled | string): Promise<void> {
    return this.#write(`${toStyled(text).plain}\n`);
  }

  /** Stops reading and writing, and lets the process end though its input may stay open. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#input.off("readable", this.#onReadable);
    this.#input.off("end", this.#onEnd);
    this.#input.off("close", this.#onEnd);
    this.#input.pause();
    // A paused stream that was read by "readable" keeps its handle reading, and that keeps the process.
    this.#input.unref?.();
    this.#wake?.();
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(read);
    // The next reader waits for this one however it ends; the failure belongs to the caller of this one alone.
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
        // Typed in raw mode (after a secret's Enter, before the mode was changed back), Enter is a CR.
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
  // An encoding was set on the stream by somebody before us.
  return Buffer.from(String(chunk), "utf8");
}
