// The text being edited, in graphemes and lines: movement, deletion, kill and yank, undo. It does not handle keys.
import { graphemesOf } from "../text/width.ts";

/** The most states that undo keeps, and the most graphemes in all of them; the latest state is always kept. */
const UNDO_STATES = 200;
const UNDO_GRAPHEMES = 1 << 20;

/** A grapheme that never joins its neighbours, except for combining marks and prefixes. */
const SIMPLE = /^[\n\x20-\x7e]$/;

interface State {
  readonly units: readonly string[];
  readonly cursor: number;
}

type Doing = "typing" | "killing" | "climbing" | undefined;

/** Text as the editor keeps it: newlines are "\n", and the tab is the only other control character. */
export function editable(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}

export class EditBuffer {
  #units: readonly string[] = [];
  #cursor = 0;
  #doing: Doing;
  #killed = "";
  /** The column, in graphemes, that up and down move to. */
  #goal = 0;
  readonly #undo: State[] = [];

  /** Graphemes; a newline is one. */
  get units(): readonly string[] {
    return this.#units;
  }

  /** Index of the grapheme under the cursor; the number of graphemes at the end. */
  get cursor(): number {
    return this.#cursor;
  }

  get text(): string {
    return this.#units.join("");
  }

  get textBeforeCursor(): string {
    return this.#units.slice(0, this.#cursor).join("");
  }

  get isEmpty(): boolean {
    return this.#units.length === 0;
  }

  insert(text: string, doing?: "typing"): void {
    const added = editable(text);
    if (added !== "") this.#edit(this.#cursor, this.#cursor, added, doing);
  }

  /** Replaces the text from code unit `from` to the cursor. */
  replaceBeforeCursor(from: number, text: string): void {
    const before = this.textBeforeCursor;
    this.#edit(0, this.#cursor, before.slice(0, from) + editable(text));
  }

  /** Replaces everything; the cursor goes to the end. */
  replaceAll(text: string): void {
    this.#edit(0, this.#units.length, editable(text));
    this.#cursor = this.#units.length;
  }

  /** Empties the buffer and the undo states. Killed text is kept. */
  reset(): void {
    this.#units = [];
    this.#cursor = 0;
    this.#undo.length = 0;
    this.#doing = undefined;
  }

  moveTo(cursor: number): void {
    this.#cursor = Math.max(0, Math.min(cursor, this.#units.length));
    this.#doing = undefined;
  }

  /** Moves to the line above or below; false if there is none. */
  moveByLine(step: -1 | 1): boolean {
    const start = this.lineStart();
    if (this.#doing !== "climbing") this.#goal = this.#cursor - start;
    const target = step < 0 ? start - 1 : this.lineEnd() + 1;
    if (target < 0 || target > this.#units.length) return false;
    const goal = this.#goal;
    const from = this.lineStart(target);
    this.moveTo(Math.min(from + goal, this.lineEnd(target)));
    this.#doing = "climbing";
    return true;
  }

  deleteTo(position: number): void {
    const [from, to] = this.#ordered(position);
    if (from < to) this.#edit(from, to, "");
  }

  /** Deletes text and keeps it for `yank`. Consecutive kills are kept as one text. */
  killTo(position: number): void {
    const [from, to] = this.#ordered(position);
    if (from === to) return;
    const text = this.#units.slice(from, to).join("");
    const kept = this.#doing === "killing" ? this.#killed : "";
    this.#killed = position < this.#cursor ? text + kept : kept + text;
    this.#edit(from, to, "");
    this.#doing = "killing";
  }

  yank(): void {
    this.insert(this.#killed);
  }

  /** Swaps the graphemes around the cursor, as readline does. */
  transpose(): void {
    const at = Math.min(this.#cursor, this.#units.length - 1);
    const left = this.#units[at - 1];
    const right = this.#units[at];
    if (left === undefined || right === undefined || left === "\n" || right === "\n") return;
    this.#edit(at - 1, at + 1, right + left);
  }

  /** Undoes the last edit; false if there is none. */
  undo(): boolean {
    const state = this.#undo.pop();
    if (state === undefined) return false;
    this.#units = state.units;
    this.#cursor = state.cursor;
    this.#doing = undefined;
    return true;
  }

  lineStart(from = this.#cursor): number {
    return from === 0 ? 0 : this.#units.lastIndexOf("\n", from - 1) + 1;
  }

  lineEnd(from = this.#cursor): number {
    const end = this.#units.indexOf("\n", from);
    return end < 0 ? this.#units.length : end;
  }

  /** The start of the word before the cursor: letters and digits, or all but spaces if `bySpaces`. */
  wordStart(bySpaces = false): number {
    const isWord = bySpaces ? isNoSpace : isLetter;
    let at = this.#cursor;
    while (at > 0 && !isWord(this.#units[at - 1])) at -= 1;
    while (at > 0 && isWord(this.#units[at - 1])) at -= 1;
    return at;
  }

  wordEnd(): number {
    let at = this.#cursor;
    while (at < this.#units.length && !isLetter(this.#units[at])) at += 1;
    while (at < this.#units.length && isLetter(this.#units[at])) at += 1;
    return at;
  }

  #ordered(position: number): [number, number] {
    const other = Math.max(0, Math.min(position, this.#units.length));
    return [Math.min(this.#cursor, other), Math.max(this.#cursor, other)];
  }

  /**
   * The only method that changes the text. Inserted graphemes, and graphemes that become neighbours, may join (a skin
   * tone, an accent), so the text around the edit is segmented again, up to an ASCII character or newline on either
   * side.
   */
  #edit(from: number, to: number, text: string, doing?: Doing): void {
    this.#remember(doing);
    let start = from;
    while (start > 0 && !SIMPLE.test(this.#units[start - 1] ?? "")) start -= 1;
    start = Math.max(0, start - 1);
    let end = to;
    while (end < this.#units.length && !SIMPLE.test(this.#units[end] ?? "")) end += 1;
    end = Math.min(this.#units.length, end + 1);
    const before = this.#units.slice(start, from).join("") + text;
    const fresh = graphemesOf(before + this.#units.slice(to, end).join(""));
    let cursor = 0;
    for (let length = 0; length < before.length; cursor += 1) length += fresh[cursor]?.length ?? 1;
    this.#units = this.#units.slice(0, start).concat(fresh, this.#units.slice(end));
    this.#cursor = start + cursor;
  }

  #remember(doing: Doing): void {
    if (doing === undefined || doing !== this.#doing) {
      this.#undo.push({ units: this.#units, cursor: this.#cursor });
      let held = this.#undo.reduce((sum, state) => sum + state.units.length, 0);
      while (this.#undo.length > UNDO_STATES || (this.#undo.length > 1 && held > UNDO_GRAPHEMES))
        held -= this.#undo.shift()?.units.length ?? 0;
    }
    this.#doing = doing;
  }
}

function isLetter(unit: string | undefined): boolean {
  return unit !== undefined && /[\p{L}\p{N}\p{M}_]/u.test(unit);
}

function isNoSpace(unit: string | undefined): boolean {
  return unit !== undefined && !/^\s/.test(unit);
}
