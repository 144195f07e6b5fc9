// The owner of the terminal in the interactive client: finished lines go up into the scrollback, the line being edited stays below.
import type { Readable, Writable } from "node:stream";
import { inColumns } from "./display/candidates.ts";
import { layOut, type Size } from "./display/edit-layout.ts";
import { type PrintOptions, rowsOf } from "./display/finished-lines.ts";
import { OutputQueue } from "./display/output-queue.ts";
import { Painter, reflowOf } from "./display/painter.ts";
import { BELL, ENTER, freshScreen, LEAVE } from "./display/terminal-modes.ts";
import { WindowTitle } from "./display/window-title.ts";
import { ActionListeners } from "./editor/action-listeners.ts";
import { type EditorAction, type EditorOptions, LineEditor } from "./editor/line-editor.ts";
import { KeyReader } from "./input/key-reader.ts";
import type { Key } from "./input/keys.ts";
import { ENDING_SIGNALS, type EndingSignal, isGone, type TerminalHost } from "./terminal-host.ts";
import { type ColourSource, type Environment, Paint } from "./text/paint.ts";
import { Styled, toStyled } from "./text/style.ts";

export interface TerminalInput extends Readable {
  setRawMode?(on: boolean): unknown;
}

export interface TerminalOutput extends Writable, ColourSource {
  readonly columns?: number;
  readonly rows?: number;
}

export interface ScreenOptions extends EditorOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly env: Environment;
  /** `process` unless a test plays one. */
  readonly host?: TerminalHost;
}

/** Why the screen no longer owns the terminal. */
export type Closed =
  | { readonly reason: "disposed" | "input-ended" | "output-gone" }
  | { readonly reason: "signal"; readonly signal: EndingSignal }
  /** Reading or writing failed in a way that is not simply a terminal that went away, or the process crashes. */
  | { readonly reason: "failed"; readonly error: Error };

type Listening = readonly [
  emitter: Pick<NodeJS.EventEmitter, "on" | "off">,
  event: string,
  listener: (error: Error) => void,
];

/** A stop that did not happen (no shell to stop for) is noticed after this. */
const RESUME_MS = 200;

/**
 * Owns input and output from `open` to `close`. Everything else writes through `print`. Finished lines never cut
 * into the line being edited; they are joined per tick and written in one piece. The terminal is given back as it
 * was at `close`, at the end of the process however it comes (SIGKILL excepted), at a stop (Ctrl-Z), and taken
 * again when it goes on. Keys typed before `open` (and not read by anyone) are keys of the screen.
 */
export class Screen implements Disposable {
  /** Resolves when the terminal was given back, with the reason; never rejects. */
  readonly closed: Promise<Closed>;
  readonly paint: Paint;
  readonly #input: TerminalInput;
  readonly #output: TerminalOutput;
  readonly #host: TerminalHost;
  readonly #editor: LineEditor;
  readonly #painter: Painter;
  readonly #backlog = new OutputQueue();
  readonly #actions = new ActionListeners();
  readonly #title: WindowTitle;
  readonly #endings: readonly Listening[];
  readonly #resolveClosed: (closed: Closed) => void;
  #keys: KeyReader | undefined;
  #edited: ((text: string) => void) | undefined;
  #prompt = Styled.of("> ");
  #status: readonly Styled[] = [];
  /** First row of the text that is shown, when it is taller than the screen. */
  #top = 0;
  /** Escapes that go before the next frame: modes, a fresh screen. */
  #controls = "";
  #rings = false;
  #scheduled: NodeJS.Immediate | undefined;
  /** The terminal takes no more, until "drain". */
  #full = false;
  #dirty = false;
  #flushed: (() => void)[] = [];
  #state: "open" | "suspended" | "closed" = "open";
  #resumeTimer: NodeJS.Timeout | undefined;

  static open(options: ScreenOptions): Screen {
    return new Screen(options);
  }

  private constructor(options: ScreenOptions) {
    const { promise, resolve } = Promise.withResolvers<Closed>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#input = options.input;
    this.#output = options.output;
    this.#title = new WindowTitle(options.env);
    this.#host = options.host ?? process;
    this.#editor = new LineEditor(options);
    this.paint = Paint.for(options.output, options.env);
    this.#painter = new Painter(reflowOf(options.env));
    this.#endings = ENDING_SIGNALS.map((signal) => [
      this.#host,
      signal,
      () => this.#close({ reason: "signal", signal }),
    ]);
    this.#take();
  }

  get columns(): number {
    return this.#size.columns;
  }

  /** Says where a line goes. */
  set prompt(prompt: Styled | string) {
    this.#prompt = toStyled(prompt);
    this.#schedule();
  }

  /** One line below what is being typed, in parts: those at the end are left out where they do not fit. */
  set status(parts: readonly (Styled | string)[]) {
    this.#status = parts
      .map((part) => toStyled(part).lines()[0] ?? Styled.empty)
      .filter(({ plain }) => plain !== "");
    this.#schedule();
  }

  /** Called with each line that was entered. Those entered before come first. */
  onSubmit(listener: (text: string) => void): void {
    this.#actions.onSubmit(listener);
  }

  /** Called with what stands in the line being edited, after a person changed it. */
  onEdit(listener: (text: string) => void): void {
    this.#edited = listener;
  }

  /** Called with every other action of the person. Candidates, redraw, suspend are dealt with here, but told too. */
  onAction(listener: (action: EditorAction) => void): void {
    this.#actions.onAction(listener);
  }

  /** Puts finished lines above what is being typed; after the end, nowhere. Strings are made safe. */
  print(lines: Styled | string | readonly (Styled | string)[], options: PrintOptions = {}): void {
    if (this.#state === "closed") return;
    for (const text of typeof lines === "string" || lines instanceof Styled ? [lines] : lines) {
      const rows = rowsOf(toStyled(text), this.columns, options);
      this.#backlog.push(rows.map((row) => this.paint.render(row)));
    }
    if (this.#full || this.#state === "suspended") this.#backlog.trim();
    this.#schedule();
  }

  /** Resolves when all that was printed is with the terminal and it takes more: await it between events. */
  flushed(): Promise<void> {
    if (this.#state === "closed" || (this.#scheduled === undefined && !this.#full)) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  /** What stands in the editor. */
  get text(): string {
    return this.#editor.text;
  }

  /** Puts a text into the editor, for the person to look at. */
  load(text: string): void {
    this.#editor.load(text);
    this.#schedule();
  }

  bell(): void {
    this.#rings = true;
    this.#schedule();
  }

  /** Sets the window's title until the end; the one before comes back then. Nothing where there is none. */
  setTitle(text: string): void {
    this.#title.set(text);
    this.#schedule();
  }

  close(): void {
    this.#close({ reason: "disposed" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  get #size(): Size {
    return { columns: Math.max(2, this.#output.columns || 80), rows: Math.max(1, this.#output.rows || 24) };
  }

  /** Takes the terminal. Raw mode comes before the first read, so that keys typed ahead are not lost or echoed. */
  #take(): void {
    this.#raw(true);
    this.#keys = new KeyReader(this.#input, this.#onKeys);
    for (const [emitter, event, listener] of this.#listeners) emitter.on(event, listener);
    // These stay when all is closed: what was written last may fail later, and that must not become a crash.
    this.#input.on("error", this.#onError);
    this.#output.on("error", this.#onError);
    this.#controls = ENTER;
    this.#schedule();
  }

  get #listeners(): readonly Listening[] {
    return [
      [this.#input, "end", this.#onEnd],
      [this.#input, "close", this.#onEnd],
      [this.#output, "close", this.#onOutputClose],
      [this.#output, "drain", this.#onDrain],
      [this.#output, "resize", this.#onResize],
      [this.#host, "SIGTSTP", this.#suspend],
      [this.#host, "SIGCONT", this.#resume],
      [this.#host, "exit", this.#onExit],
      [this.#host, "uncaughtExceptionMonitor", this.#onCrash],
      ...this.#endings,
    ];
  }

  #close(closed: Closed): void {
    const before = this.#state;
    if (before === "closed") return;
    // First: of a terminal that hung up even the giving back fails, and comes here again.
    this.#state = "closed";
    if (before === "open") {
      this.#flush();
      this.#giveBack();
    }
    clearImmediate(this.#scheduled);
    clearTimeout(this.#resumeTimer);
    this.#keys?.[Symbol.dispose]();
    for (const [emitter, event, listener] of this.#listeners) emitter.off(event, listener);
    this.#releaseFlushed();
    this.#resolveClosed(closed);
  }

  /** Erases the edit area and puts every mode back. */
  #giveBack(): void {
    this.#write(this.#painter.erase(this.columns) + LEAVE + this.#title.giveBack());
    this.#raw(false);
  }

  #raw(on: boolean): void {
    try {
      this.#input.setRawMode?.(on);
    } catch (error) {
      // A terminal that hung up has no modes to set; that it is gone comes as the end of the input.
      if (!isGone(error)) throw error;
    }
  }

  #schedule(): void {
    this.#dirty = true;
    if (this.#state !== "open" || this.#scheduled !== undefined || this.#full) return;
    this.#scheduled = setImmediate(() => this.#flush());
  }

  /** Writes what was printed since the last time, and the edit area as it is now. */
  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#dirty = false;
    const size = this.#size;
    const { prompt, status, units, cursor } = this.#content;
    const { area, top } = layOut({ prompt, status, units, cursor }, size, this.#top);
    this.#top = top;
    const controls = this.#takeControls();
    const render = (row: Styled): string => this.paint.render(row);
    this.#write(controls + this.#painter.frame(this.#backlog.take(), area, size.columns, render));
    if (!this.#full) this.#releaseFlushed();
  }

  get #content() {
    return {
      prompt: this.#prompt,
      status: this.#status,
      units: this.#editor.units,
      cursor: this.#editor.cursor,
    };
  }

  #takeControls(): string {
    let controls = this.#controls;
    this.#controls = "";
    if (this.#rings) controls += BELL;
    this.#rings = false;
    return controls + this.#title.take();
  }

  #write(text: string): void {
    if (this.#output.destroyed || !this.#output.writable) return;
    this.#full = !this.#output.write(text);
  }

  #releaseFlushed(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  readonly #onKeys = (keys: readonly Key[]): void => {
    const before = this.#editor.text;
    for (const key of keys) {
      for (const action of this.#editor.press(key, performance.now())) this.#act(action);
      // A listener may have closed the screen: what was typed after that is nobody's.
      if (this.#state === "closed") return;
    }
    if (this.#editor.text !== before) this.#edited?.(this.#editor.text);
    this.#schedule();
  };

  #act(action: EditorAction): void {
    if (action.kind === "suspend") this.#suspend();
    if (action.kind === "redraw") this.#redraw();
    if (action.kind === "candidates") this.print(inColumns(action.candidates, this.columns));
    this.#actions.tell(action);
  }

  #redraw(): void {
    const { columns, rows } = this.#size;
    this.#flush();
    this.#controls += this.#painter.erase(columns) + freshScreen(rows);
    this.#schedule();
  }

  readonly #onResize = (): void => this.#schedule();

  readonly #onDrain = (): void => {
    this.#full = false;
    if (this.#dirty) this.#schedule();
    else this.#releaseFlushed();
  };

  readonly #onEnd = (): void => this.#close({ reason: "input-ended" });
  readonly #onOutputClose = (): void => this.#close({ reason: "output-gone" });
  readonly #onError = (error: Error): void =>
    this.#close(isGone(error) ? { reason: "output-gone" } : { reason: "failed", error });
  readonly #onExit = (): void => this.#close({ reason: "disposed" });
  readonly #onCrash = (error: Error): void => this.#close({ reason: "failed", error });

  /** Gives the terminal back and stops the whole job, as the terminal itself would at Ctrl-Z. */
  readonly #suspend = (): void => {
    if (this.#state !== "open") return;
    this.#state = "suspended";
    this.#flush();
    this.#giveBack();
    if (this.#isClosed) return;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#host.off("SIGTSTP", this.#suspend);
    this.#host.kill(0, "SIGTSTP");
    // If nothing can stop us (no shell waits for this job), no SIGCONT comes either.
    this.#resumeTimer = setTimeout(this.#resume, RESUME_MS);
  };

  /** After a stop, ours or from outside: the shell may have changed everything. */
  readonly #resume = (): void => {
    clearTimeout(this.#resumeTimer);
    if (this.#state === "closed") return;
    if (this.#state === "suspended") this.#host.on("SIGTSTP", this.#suspend);
    this.#state = "open";
    // Node believes that the mode is still what it set last: only a change is carried out.
    this.#raw(false);
    this.#raw(true);
    this.#painter.forget();
    this.#controls = ENTER + this.#controls;
    this.#schedule();
  };
}
