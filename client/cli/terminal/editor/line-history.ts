// The history of entered lines for the up and down keys. The line being typed is kept as a draft below the newest one.
import { editable } from "./edit-buffer.ts";

/** The most lines that are kept. */
const MOST_LINES = 1000;

export class LineHistory {
  readonly #lines: string[];
  #at: number;
  #draft = "";
  #prefix = "";
  #shown: string | undefined;

  /** Oldest first. */
  constructor(lines: readonly string[] = []) {
    this.#lines = lines.slice(-MOST_LINES).map(editable);
    this.#at = this.#lines.length;
  }

  /** Adds a line as the newest, unless it equals the newest or is blank. */
  add(line: string): void {
    if (line.trim() !== "" && this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
    this.#shown = undefined;
  }

  /** Whether the text is the history line that is shown, unchanged. */
  isShowing(text: string): boolean {
    return text === this.#shown;
  }

  /**
   * The next older line that begins with the text that was before the cursor when the search began. Undefined if
   * there is none.
   */
  older(current: string, beforeCursor: string): string | undefined {
    if (current !== this.#shown) {
      this.#draft = current;
      this.#at = this.#lines.length;
      this.#prefix = beforeCursor;
    }
    return this.#show(-1, (line) => line !== current);
  }

  /** The next newer line, or the draft after the newest one. Undefined if the draft is shown already. */
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
