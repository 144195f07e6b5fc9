// A user at a terminal in front of a program that runs inside the test: waits for what is shown, and types.
import { EventEmitter, once } from "node:events";
import { Readable, Writable } from "node:stream";
import type { ProcessParts } from "../../../client/cli/process/environment.ts";

/** How long a question may take to appear, ms. */
const QUESTION_MS = 15_000;

export class TerminalUser {
  /** What the terminal shows, escape sequences included, since the last answer. */
  shown = "";
  /** The keys that the shell gets after the end of the program. */
  forShell = "";
  readonly #keyboard = new Keyboard((echo) => this.#show(echo));
  readonly #host = new EventEmitter();
  readonly #changed = new EventEmitter();
  readonly #exit = Promise.withResolvers<number>();
  readonly exited = this.#exit.promise;

  /** What the program sees as its process. */
  parts(variables: ProcessParts["variables"]): ProcessParts {
    const display = Object.assign(
      new Writable({
        decodeStrings: false,
        write: (chunk: string | Buffer, _encoding, done) => {
          this.#show(String(chunk));
          done();
        },
      }),
      { isTTY: true, columns: 80, rows: 24, getColorDepth: () => 8 },
    );
    return {
      variables: { TERM: "xterm-256color", ...variables },
      // The programs use no other members of the streams of a real terminal.
      stdin: this.#keyboard as unknown as NodeJS.ReadStream,
      stdout: display as unknown as NodeJS.WriteStream,
      stderr: display as unknown as NodeJS.WriteStream,
      host: Object.assign(this.#host, { kill: () => true }),
    };
  }

  /** What it shows since the last answer, without escape sequences. */
  get plain(): string {
    return this.shown.replaceAll(
      /\x1b(?:\[[?>]?[\d;]*[ -/]*[A-Za-z]|\][^\x1b\x07]*(?:\x1b\\|\x07)|[=>78])/g,
      "",
    );
  }

  /** Resolves when the terminal shows the text, escape sequences left out. @throws Error if it does not appear in time */
  async sees(text: string | RegExp): Promise<void> {
    await this.#until(text, () => this.plain);
  }

  type(keys: string): void {
    this.#keyboard.type(keys);
  }

  /** The window is closed. */
  hangUp(): void {
    this.signal("SIGHUP");
  }

  /** The program gets the signal. @throws Error if it does not handle it */
  signal(name: NodeJS.Signals): void {
    if (!this.#host.emit(name, name)) throw new Error(`The program does not listen for ${name}.`);
  }

  /** Whether the terminal passes each key on, and shows none. */
  get isRaw(): boolean {
    return this.#keyboard.isRaw;
  }

  /** Waits for the question, and types. @throws Error if it does not appear in time */
  async answers(question: string | RegExp, keys: string): Promise<void> {
    await this.#until(question, () => this.shown);
    this.shown = "";
    this.type(keys);
  }

  /** The program is done. The keys that it has not read go to the shell. */
  end(code: number): void {
    this.forShell = String(this.#keyboard.read() ?? "");
    this.#keyboard.destroy();
    this.#exit.resolve(code);
  }

  async #until(text: string | RegExp, read: () => string): Promise<void> {
    const late = AbortSignal.timeout(QUESTION_MS);
    const isShown = (): boolean => (typeof text === "string" ? read().includes(text) : text.test(read()));
    while (!isShown()) {
      await once(this.#changed, "shown", { signal: late }).catch((cause: unknown) => {
        throw new Error(`"${text}" is not shown:\n${read()}`, { cause });
      });
    }
  }

  #show(text: string): void {
    this.shown += text;
    this.#changed.emit("shown");
  }
}

/** Standard input of a terminal. As a terminal does, it shows what is typed unless the program sets raw mode. */
class Keyboard extends Readable {
  readonly isTTY = true;
  isRaw = false;
  readonly #echo: (text: string) => void;

  constructor(echo: (text: string) => void) {
    super({ read: () => undefined });
    this.#echo = echo;
  }

  setRawMode(on: boolean): this {
    this.isRaw = on;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  type(keys: string): void {
    if (!this.isRaw) this.#echo(keys);
    this.push(keys);
  }
}
