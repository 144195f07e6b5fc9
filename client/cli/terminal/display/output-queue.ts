// Painted lines on their way to a terminal that may be slow: bounded, and never dropped without saying so.

/** Lines that wait; beyond that the oldest are counted, not kept. */
const WAITING_LINES = 10_000;

export class OutputQueue {
  #lines: string[] = [];
  #missed = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  push(lines: readonly string[]): void {
    for (const text of lines) this.#lines.push(text);
  }

  /** Called while nothing can be written: keeps the newest. */
  trim(): void {
    const tooMany = this.#lines.length - WAITING_LINES;
    if (tooMany <= 0) return;
    this.#lines.splice(0, tooMany);
    this.#missed += tooMany;
  }

  /** All that waits, after a line that counts what is missing. */
  take(): string[] {
    const lines = this.#lines;
    if (this.#missed > 0)
      lines.unshift(`… ${this.#missed} lines are not shown: the terminal was too slow for them.`);
    this.#lines = [];
    this.#missed = 0;
    return lines;
  }
}
