// The lines entered before, for up and down: the draft waits below the newest one.
import { editable } from "./edit-buffer.ts";

/** Lines kept; the oldest go first. */
const LONGEST = 1000;

export class LineHistory {
  readonly #lines: string[];
  #at: number;
  #draft = "";
  #prefix = "";
  #shown: string | undefined;

  /** Oldest first. */
  constructor(lines: readonly string[] = []) {
    this.#lines = lines.slice(-LONGEST).map(editable);
    this.#at = this.#lines.length;
  }

  /** Adds a line as the newest, unless it is that already. */
  add(line: string): void {
    if (line.trim() !== "" && this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > LONGEST) this.#lines.shift();
    this.#shown = undefined;
  }

  /** The text is a line of the history as it was entered, and no draft. */
  isShowing(text: string): boolean {
    return text === this.#shown;
  }

  /**
   * The next older line that begins as what stands before the cursor did when the climb began. Undefined at the top,
   * or where none does.
   */
  older(current: string, beforeCursor: string): string | undefined {
    if (current !== this.#shown) {
      this.#draft = current;
      this.#at = this.#lines.length;
      this.#prefix = beforeCursor;
    }
    return this.#show(-1, (line) => line !== current);
  }

  /** The next newer one, then the draft. Undefined below the draft. */
  newer(current: string): string | undefined {
    if (current !== this.#shown) return undefined;
    const newer = this.#show(1, (line) => line !== current);
    if (newer !== undefined) return newer;
    this.#at = this.#lines.length;
    this.#shown = undefined;
    return this.#draft;
  }

  #show(step: -1 | 1, isOther: (line: string) => boolean): string | undefined {
    for (let at = this.#at + step; at >= 0 && at < this.#lines.length; at += step) {
      const line = this.#lines[at];
      if (line === undefined || !line.startsWith(this.#prefix) || !isOther(line)) continue;
      this.#at = at;
      this.#shown = line;
      return line;
    }
    return undefined;
  }
}
