// A terminal without a window, and a keyboard for it: tests read what a user would see.
import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import headless from "@xterm/headless";
import { Screen, type ScreenOptions } from "../../../client/cli/terminal/screen.ts";

/** Standard input of a terminal: records raw mode. */
export class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly rawModes: boolean[] = [];

  setRawMode(on: boolean): this {
    this.rawModes.push(on);
    return this;
  }
}

/** Standard output of a terminal. */
class Display extends Writable {
  readonly isTTY = true;
  readonly #terminal: headless.Terminal;
  written = "";
  frames = 0;

  constructor(terminal: headless.Terminal) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  getColorDepth(): number {
    return 8;
  }

  override _write(chunk: string | Uint8Array, _encoding: string, done: () => void): void {
    this.written += String(chunk);
    this.frames += 1;
    this.#terminal.write(chunk, done);
  }
}

/** Stands in for `process`: the test emits signals, and kills are recorded. */
export class Host extends EventEmitter {
  readonly killed: (readonly [pid: number, signal: string])[] = [];

  kill(pid: number, signal: string): void {
    this.killed.push([pid, signal]);
  }
}

export class VirtualTerminal {
  readonly keyboard = new Keyboard();
  readonly display: Display;
  readonly host = new Host();
  readonly #terminal: headless.Terminal;
  readonly #env: Record<string, string>;

  /** `reflow`: whether the row with the cursor is wrapped again on a resize, as in most terminals but not in xterm.js. */
  constructor(columns = 40, rows = 10, options: { reflow?: boolean; env?: Record<string, string> } = {}) {
    const reflow = options.reflow ?? true;
    this.#terminal = new headless.Terminal({
      cols: columns,
      rows,
      scrollback: 100_000,
      allowProposedApi: true,
      reflowCursorLine: reflow,
    });
    this.#env = { TERM: "xterm-256color", ...(reflow ? {} : { TERM_PROGRAM: "vscode" }), ...options.env };
    this.display = new Display(this.#terminal);
  }

  open(options: Partial<ScreenOptions> = {}): Screen {
    return Screen.open({
      input: this.keyboard,
      output: this.display,
      env: this.#env,
      host: this.host,
      ...options,
    });
  }

  /** Writes to the terminal as another program does before the screen opens. */
  shell(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  async type(bytes: string | Uint8Array): Promise<void> {
    await new Promise((resolve) => this.keyboard.write(bytes, resolve));
    await setImmediate();
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.display.emit("resize");
  }

  /** Resolves when everything that the screen shows is on the terminal. */
  async settled(screen: Screen): Promise<void> {
    await setImmediate();
    await screen.flushed();
    await this.shell("");
  }

  /** The visible rows of the screen, without empty ones at the end. */
  get seen(): string[] {
    const { baseY } = this.#terminal.buffer.active;
    const rows = Array.from({ length: this.#terminal.rows }, (_, row) => this.#row(baseY + row));
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  /** Scrollback and screen; rows that the terminal wrapped are joined to one line. */
  get transcript(): string[] {
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let at = 0; at < buffer.length; at += 1) {
      const next = buffer.getLine(at + 1)?.isWrapped === true;
      const row = buffer.getLine(at);
      // A wide character that did not fit leaves an empty cell at the margin, which is not a space.
      const margin = next && row?.getCell(this.#terminal.cols - 1)?.getChars() === "" ? 1 : 0;
      const text = row?.translateToString(!next, 0, this.#terminal.cols - margin) ?? "";
      if (buffer.getLine(at)?.isWrapped === true) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
    }
    while (lines.at(-1)?.trim() === "") lines.pop();
    return lines.map((line) => line.trimEnd());
  }

  /** Row and column of the cursor on the screen, from 0. */
  get cursor(): { row: number; column: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  get modes(): { bracketedPaste: boolean; focusEvents: boolean; wraparound: boolean; synchronized: boolean } {
    const { bracketedPasteMode, sendFocusMode, wraparoundMode, synchronizedOutputMode } =
      this.#terminal.modes;
    return {
      bracketedPaste: bracketedPasteMode,
      focusEvents: sendFocusMode,
      wraparound: wraparoundMode,
      synchronized: synchronizedOutputMode,
    };
  }

  onTitle(listener: (title: string) => void): void {
    this.#terminal.onTitleChange(listener);
  }

  onBell(listener: () => void): void {
    this.#terminal.onBell(listener);
  }

  #row(at: number): string {
    return (this.#terminal.buffer.active.getLine(at)?.translateToString(true) ?? "").trimEnd();
  }
}
