// The line editor as a state machine: takes keys and returns actions. It has no output and reads no clock.

import type { Key } from "../input/keys.ts";
import { graphemesOf } from "../text/width.ts";
import { EditBuffer, editable } from "./edit-buffer.ts";
import { LineHistory } from "./line-history.ts";

export type EditorAction =
  /** Enter: the text with its newlines; it may be empty. The buffer is empty now. */
  | { readonly kind: "submit"; readonly text: string }
  /** Tab, if `complete` returned "run". The buffer is empty now. */
  | { readonly kind: "run"; readonly text: string }
  /** Ctrl-D, or Ctrl-C twice, on an empty line. */
  | { readonly kind: "leave" }
  /** The first Ctrl-C on an empty line. A second one within `leaveWithinMs` leaves. */
  | { readonly kind: "leave-armed" }
  | { readonly kind: "suspend" }
  | { readonly kind: "redraw" }
  | { readonly kind: "next-unread" }
  /** The second Tab: the possible completions. */
  | { readonly kind: "candidates"; readonly candidates: readonly string[] }
  /** The key has no effect here. */
  | { readonly kind: "no-effect" }
  /** A paste was longer than PASTE_LIMIT of keys.ts, and its end was dropped. */
  | { readonly kind: "paste-cut" }
  | { readonly kind: "focus"; readonly focused: boolean }
  /** Any other key, by its name. */
  | { readonly kind: "key"; readonly name: string };

/** Each candidate can replace the text from code unit `from` to the cursor. */
export interface Completion {
  readonly from: number;
  readonly candidates: readonly string[];
}

/** "run": Tab runs the line instead of completing it. */
export type Complete = (textBeforeCursor: string, text: string) => Completion | "run" | undefined;

export interface EditorOptions {
  /** Lines entered in earlier runs, oldest first. */
  readonly history?: readonly string[];
  readonly complete?: Complete;
  /** How long after the first Ctrl-C a second one leaves, ms; 2000 if left out. */
  readonly leaveWithinMs?: number;
}

type Command = (editor: LineEditor, buffer: EditBuffer) => EditorAction | undefined;

const LEAVE_WITHIN_MS = 2000;

export class LineEditor {
  readonly #buffer = new EditBuffer();
  readonly #history: LineHistory;
  readonly #complete: Complete | undefined;
  readonly #leaveWithinMs: number;
  #armedUntil = Number.NEGATIVE_INFINITY;
  #now = 0;
  /** Up was pressed on the first row of a draft with several rows. */
  #stoppedAtTop = false;
  /** The text on which Tab last found several candidates. */
  #tabbed: string | undefined;

  constructor(options: EditorOptions = {}) {
    this.#history = new LineHistory(options.history);
    this.#complete = options.complete;
    this.#leaveWithinMs = options.leaveWithinMs ?? LEAVE_WITHIN_MS;
  }

  /** Graphemes of the text being edited; a newline is one. */
  get units(): readonly string[] {
    return this.#buffer.units;
  }

  /** Index of the grapheme under the cursor; the number of graphemes at the end. */
  get cursor(): number {
    return this.#buffer.cursor;
  }

  get text(): string {
    return this.#buffer.text;
  }

  /** Replaces the text, as one edit that can be undone. */
  load(text: string): void {
    this.#buffer.replaceAll(text);
  }

  /** Handles one key. `now` is a monotonic time in ms. */
  press(key: Key, now: number): EditorAction[] {
    this.#now = now;
    if (key.kind === "focus") return [{ kind: "focus", focused: key.focused }];
    const armedUntil = this.#armedUntil;
    const tabbed = this.#tabbed;
    this.#armedUntil = Number.NEGATIVE_INFINITY;
    this.#tabbed = undefined;
    switch (key.kind) {
      case "text":
        this.#stoppedAtTop = false;
        this.#buffer.insert(key.text, "typing");
        return [];
      case "paste":
        this.#stoppedAtTop = false;
        // Copied lines end in a newline that is not meant to be sent.
        this.#buffer.insert(key.text.replace(/(?:\r\n|\r|\n)$/, ""));
        return key.cut ? [{ kind: "paste-cut" }] : [];
      case "key": {
        if (key.name !== "up" && key.name !== "ctrl-p") this.#stoppedAtTop = false;
        if (key.name === "ctrl-c") return this.#interrupt(armedUntil);
        if (key.name === "tab") return this.#tab(tabbed);
        const command = COMMANDS.get(key.name);
        const action = command === undefined ? key : command(this, this.#buffer);
        return action === undefined ? [] : [action];
      }
    }
  }

  submit(): { readonly kind: "submit"; readonly text: string } {
    const text = this.#buffer.text;
    this.#history.add(text);
    this.#buffer.reset();
    return { kind: "submit", text };
  }

  climb(step: -1 | 1): EditorAction | undefined {
    const before = this.#stoppedAtTop;
    this.#stoppedAtTop = false;
    if (this.#buffer.moveByLine(step)) return undefined;
    const current = this.#buffer.text;
    // A user who holds Up to reach the first row does not want to replace the draft.
    if (step < 0 && !before && current.includes("\n") && !this.#history.isShowing(current)) {
      this.#stoppedAtTop = true;
      return { kind: "no-effect" };
    }
    const line =
      step < 0 ? this.#history.older(current, this.#buffer.textBeforeCursor) : this.#history.newer(current);
    if (line === undefined) return { kind: "no-effect" };
    this.#buffer.replaceAll(line);
    return undefined;
  }

  #interrupt(armedUntil: number): EditorAction[] {
    if (!this.#buffer.isEmpty) {
      this.#buffer.replaceAll("");
      return [];
    }
    if (this.#now <= armedUntil) return [{ kind: "leave" }];
    this.#armedUntil = this.#now + this.#leaveWithinMs;
    return [{ kind: "leave-armed" }];
  }

  #tab(tabbed: string | undefined): EditorAction[] {
    const before = this.#buffer.textBeforeCursor;
    const completion = this.#complete?.(before, this.#buffer.text);
    if (completion === "run") return [{ ...this.submit(), kind: "run" }];
    const [only, ...others] = completion?.candidates ?? [];
    if (completion === undefined || only === undefined) return [{ kind: "no-effect" }];
    const from = Math.max(0, Math.min(completion.from, before.length));
    if (others.length === 0) {
      const spaced = this.#buffer.units[this.#buffer.cursor] === " ";
      this.#buffer.replaceBeforeCursor(from, spaced ? only : `${only} `);
      if (spaced) this.#buffer.moveTo(this.#buffer.cursor + 1);
      return [];
    }
    if (tabbed === before) {
      this.#tabbed = before;
      return [{ kind: "candidates", candidates: completion.candidates }];
    }
    const common = editable(commonStart(completion.candidates));
    // Candidates may differ from the typed text, for example in case. They must not remove letters.
    if (common.length > before.length - from) this.#buffer.replaceBeforeCursor(from, common);
    this.#tabbed = this.#buffer.textBeforeCursor;
    return this.#tabbed === before ? [{ kind: "no-effect" }] : [];
  }
}

function commonStart(candidates: readonly string[]): string {
  const [first = "", ...others] = candidates;
  let common = graphemesOf(first);
  for (const other of others) {
    const units = graphemesOf(other);
    const differs = common.findIndex((unit, index) => unit !== units[index]);
    if (differs >= 0) common = common.slice(0, differs);
  }
  return common.join("");
}

/** A command that only changes the buffer. */
function edit(change: (buffer: EditBuffer) => void): Command {
  return (_, buffer) => {
    change(buffer);
    return undefined;
  };
}

function commands(...rows: readonly (readonly [names: string, command: Command])[]): Map<string, Command> {
  return new Map(
    rows.flatMap(([names, command]) => names.split(" ").map((name) => [name, command] as const)),
  );
}

const COMMANDS = commands(
  ["enter", (editor) => editor.submit()],
  ["alt-enter shift-enter", edit((buffer) => buffer.insert("\n"))],
  ["left ctrl-b", edit((buffer) => buffer.moveTo(buffer.cursor - 1))],
  ["right ctrl-f", edit((buffer) => buffer.moveTo(buffer.cursor + 1))],
  ["home ctrl-a", edit((buffer) => buffer.moveTo(buffer.lineStart()))],
  ["end ctrl-e", edit((buffer) => buffer.moveTo(buffer.lineEnd()))],
  ["ctrl-home alt-<", edit((buffer) => buffer.moveTo(0))],
  ["ctrl-end alt->", edit((buffer) => buffer.moveTo(buffer.units.length))],
  ["alt-b ctrl-left alt-left", edit((buffer) => buffer.moveTo(buffer.wordStart()))],
  ["alt-f ctrl-right alt-right", edit((buffer) => buffer.moveTo(buffer.wordEnd()))],
  ["up ctrl-p", (editor) => editor.climb(-1)],
  ["down ctrl-n", (editor) => editor.climb(1)],
  ["backspace shift-backspace", edit((buffer) => buffer.deleteTo(buffer.cursor - 1))],
  ["delete", edit((buffer) => buffer.deleteTo(buffer.cursor + 1))],
  [
    "ctrl-d",
    (_, buffer) => {
      if (buffer.isEmpty) return { kind: "leave" };
      buffer.deleteTo(buffer.cursor + 1);
      return undefined;
    },
  ],
  ["ctrl-u", edit((buffer) => buffer.killTo(buffer.lineStart()))],
  [
    "ctrl-k",
    edit((buffer) =>
      buffer.killTo(buffer.cursor === buffer.lineEnd() ? buffer.cursor + 1 : buffer.lineEnd()),
    ),
  ],
  ["ctrl-w", edit((buffer) => buffer.killTo(buffer.wordStart(true)))],
  ["alt-backspace ctrl-backspace", edit((buffer) => buffer.killTo(buffer.wordStart()))],
  ["alt-d ctrl-delete", edit((buffer) => buffer.killTo(buffer.wordEnd()))],
  ["ctrl-y", edit((buffer) => buffer.yank())],
  ["ctrl-t", edit((buffer) => buffer.transpose())],
  ["ctrl-_", (_, buffer) => (buffer.undo() ? undefined : { kind: "no-effect" })],
  ["ctrl-z", () => ({ kind: "suspend" })],
  ["ctrl-l", () => ({ kind: "redraw" })],
  ["alt-a", () => ({ kind: "next-unread" })],
);
