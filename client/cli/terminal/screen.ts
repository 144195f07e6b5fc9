// The screen of an interactive program: finished lines scroll up, and the line being edited stays below them.
import { inColumns } from "./display/candidates.ts";
import { layOut, type Size } from "./display/edit-layout.ts";
import { type PrintOptions, rowsOf } from "./display/finished-lines.ts";
import { OutputQueue } from "./display/output-queue.ts";
import { Painter, reflowOf } from "./display/painter.ts";
import { BELL, ENTER, freshScreen, LEAVE } from "./display/terminal-modes.ts";
import { WindowTitle } from "./display/window-title.ts";
import { ActionListeners } from "./editor/action-listeners.ts";
import { type EditorAction, type EditorOptions, LineEditor } from "./editor/line-editor.ts";
import { joinTexts, type Key } from "./input/keys.ts";
import type { TerminalHost } from "./terminal-host.ts";
import { type Closed, type TerminalInput, type TerminalOutput, TerminalOwner } from "./terminal-owner.ts";
import { Paint, type Variables } from "./text/paint.ts";
import { Styled, toStyled } from "./text/style.ts";

export type { Closed, TerminalInput, TerminalOutput } from "./terminal-owner.ts";

export interface ScreenOptions extends EditorOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly env: Variables;
  /** `process` if left out. */
  readonly host?: TerminalHost;
}

/**
 * Owns input and output of the terminal from `open` to `close`; everything else writes through `print`. Finished lines
 * never interrupt the line being edited: they are collected per tick and written in one piece. Keys that were typed
 * before `open` and not read go to the screen.
 */
export class Screen implements Disposable {
  readonly paint: Paint;
  readonly #output: TerminalOutput;
  readonly #owner: TerminalOwner;
  readonly #editor: LineEditor;
  readonly #painter: Painter;
  readonly #queue = new OutputQueue();
  readonly #actions = new ActionListeners();
  readonly #title: WindowTitle;
  #edited: ((text: string) => void) | undefined;
  #prompt = Styled.of("> ");
  #status: readonly Styled[] = [];
  /** The first row of the text that is shown, if it is taller than the screen. */
  #top = 0;
  /** Escape sequences to write before the next frame. */
  #controls = "";
  #rings = false;
  #scheduled: NodeJS.Immediate | undefined;
  /** The output takes no more until "drain". */
  #full = false;
  #dirty = false;
  #flushed: (() => void)[] = [];

  static open(options: ScreenOptions): Screen {
    return new Screen(options);
  }

  private constructor(options: ScreenOptions) {
    this.#output = options.output;
    this.#title = new WindowTitle(options.env);
    this.#editor = new LineEditor(options);
    this.paint = Paint.for(options.output, options.env);
    this.#painter = new Painter(reflowOf(options.env));
    this.#owner = new TerminalOwner({
      input: options.input,
      output: options.output,
      host: options.host ?? process,
      onKeys: this.#onKeys,
      onTaken: (again) => this.#onTaken(again),
      onGiveBack: () => this.#onGiveBack(),
      onResize: () => this.#schedule(),
      onDrain: () => this.#onDrain(),
      onClosed: () => this.#onClosed(),
    });
    this.#owner.take();
  }

  /** Resolves when the terminal was given back, with the reason; never rejects. */
  get closed(): Promise<Closed> {
    return this.#owner.closed;
  }

  get columns(): number {
    return this.#size.columns;
  }

  set prompt(prompt: Styled | string) {
    this.#prompt = toStyled(prompt);
    this.#schedule();
  }

  /** One line below the line being edited, in parts. The last parts are left out if they do not fit. */
  set status(parts: readonly (Styled | string)[]) {
    this.#status = parts
      .map((part) => toStyled(part).lines()[0] ?? Styled.empty)
      .filter(({ plain }) => plain !== "");
    this.#schedule();
  }

  /** Called with each entered line, and first with those entered before the listener was set. */
  onSubmit(listener: (text: string) => void): void {
    this.#actions.onSubmit(listener);
  }

  /** Called with the text in the editor after the user changed it. */
  onEdit(listener: (text: string) => void): void {
    this.#edited = listener;
  }

  /** Called with every other action of the user. The screen has already handled candidates, redraw and suspend. */
  onAction(listener: (action: EditorAction) => void): void {
    this.#actions.onAction(listener);
  }

  /** Prints finished lines above the line being edited. Strings are made safe. Does nothing after `close`. */
  print(lines: Styled | string | readonly (Styled | string)[], options: PrintOptions = {}): void {
    if (this.#owner.state === "closed") return;
    for (const text of typeof lines === "string" || lines instanceof Styled ? [lines] : lines) {
      const rows = rowsOf(toStyled(text), this.columns, options);
      this.#queue.push(rows.map((row) => this.paint.render(row)));
    }
    if (this.#full || this.#owner.state === "suspended") this.#queue.trim();
    this.#schedule();
  }

  /** Resolves when everything printed has been written and the output takes more. Await it between events. */
  flushed(): Promise<void> {
    const isIdle = this.#scheduled === undefined && !this.#full;
    if (this.#owner.state === "closed" || isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  /** The text in the editor. */
  get text(): string {
    return this.#editor.text;
  }

  /** Puts a text into the editor. */
  load(text: string): void {
    this.#editor.load(text);
    this.#schedule();
  }

  bell(): void {
    this.#rings = true;
    this.#schedule();
  }

  /**
   * Sets the title of the window until the end, when the previous title is restored. Does nothing on terminals without
   * titles.
   */
  setTitle(text: string): void {
    this.#title.set(text);
    this.#schedule();
  }

  close(): void {
    this.#owner.close({ reason: "disposed" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #size(): Size {
    return { columns: Math.max(2, this.#output.columns || 80), rows: Math.max(1, this.#output.rows || 24) };
  }

  #onTaken(again: boolean): void {
    if (again) this.#painter.forget();
    this.#controls = ENTER + this.#controls;
    this.#schedule();
  }

  /** Writes what is left, erases the edit area and restores every mode. */
  #onGiveBack(): void {
    this.#flush();
    this.#write(this.#painter.erase(this.columns) + LEAVE + this.#title.giveBack());
  }

  #onClosed(): void {
    clearImmediate(this.#scheduled);
    this.#releaseFlushed();
  }

  #onDrain(): void {
    this.#full = false;
    if (this.#dirty) this.#schedule();
    else this.#releaseFlushed();
  }

  #schedule(): void {
    this.#dirty = true;
    if (this.#owner.state !== "open" || this.#scheduled !== undefined || this.#full) return;
    this.#scheduled = setImmediate(() => this.#flush());
  }

  /** Writes the lines that were printed since the last time, and the edit area. */
  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#dirty = false;
    const size = this.#size;
    const { units, cursor } = this.#editor;
    const content = { prompt: this.#prompt, status: this.#status, units, cursor };
    const { area, top } = layOut(content, size, this.#top);
    this.#top = top;
    const controls = this.#takeControls();
    // Without links: a URL that is being typed may be in several rows.
    const plainLinks = new Paint(this.paint.level);
    const render = (row: Styled): string => plainLinks.render(row);
    this.#write(controls + this.#painter.frame(this.#queue.take(), area, size.columns, render));
    if (!this.#full) this.#releaseFlushed();
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
    for (const key of joinTexts(keys)) {
      for (const action of this.#editor.press(key, performance.now())) this.#act(action);
      // A listener may have closed the screen; the keys after that are dropped.
      if (this.#owner.state === "closed") return;
    }
    if (this.#editor.text !== before) this.#edited?.(this.#editor.text);
    this.#schedule();
  };

  #act(action: EditorAction): void {
    if (action.kind === "suspend") this.#owner.suspend();
    if (action.kind === "redraw") this.#redraw();
    if (action.kind === "candidates") this.print(inColumns(action.candidates, this.columns));
    this.#actions.notify(action);
  }

  #redraw(): void {
    const { columns, rows } = this.#size;
    this.#flush();
    this.#controls += this.#painter.erase(columns) + freshScreen(rows);
    this.#schedule();
  }
}
