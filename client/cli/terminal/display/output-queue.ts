// Rendered lines that wait to be written to a terminal that may be slow. The queue is bounded, and a line reports what
// was dropped.

/** The most lines that wait; older ones are dropped and counted. */
const WAITING_LINES = 10_000;

export class OutputQueue {
  #lines: string[] = [];
  #dropped = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  push(lines: readonly string[]): void {
    for (const text of lines) this.#lines.push(text);
  }

  /** Drops all but the newest lines. Called while nothing can be written. */
  trim(): void {
    const tooMany = this.#lines.length - WAITING_LINES;
    if (tooMany <= 0) return;
    this.#lines.splice(0, tooMany);
    this.#dropped += tooMany;
  }

  /** Removes and returns all lines, after a line with the number of dropped ones. */
  take(): string[] {
    const lines = this.#lines;
    if (this.#dropped > 0)
      lines.unshift(`… ${this.#dropped} lines are not shown: the terminal was too slow.`);
    this.#lines = [];
    this.#dropped = 0;
    return lines;
  }
}
