// Limits how many lines of one kind the log has in a time. The rest is counted, and one line says how many there were.
import type { Clock, Timer } from "../../time/clock.ts";

type Level = "debug" | "info" | "warn" | "error";

interface Kind {
  written: number;
  leftOut: number;
  readonly level: Level;
  readonly timer: Timer;
}

/** The lines of one kind that are written in the time below, ms. */
const MOST_LINES = 100;
const TIME_MS = 10_000;
/** The kinds that are counted at the same time. There are fewer, unless a text of a client becomes part of a kind. */
const MOST_KINDS = 1_000;

export class RepeatedLines implements Disposable {
  readonly #clock: Clock;
  readonly #summarize: (count: number, kind: string, level: Level) => void;
  readonly #kinds = new Map<string, Kind>();

  /** @param summarize writes the line that says how many were left out */
  constructor(clock: Clock, summarize: (count: number, kind: string, level: Level) => void) {
    this.#clock = clock;
    this.#summarize = summarize;
  }

  /** Whether a line of this kind is written now. */
  admit(name: string, level: Level): boolean {
    const kind = this.#kindOf(this.#kinds.has(name) || this.#kinds.size < MOST_KINDS ? name : "other", level);
    if (kind.written < MOST_LINES) kind.written++;
    else kind.leftOut++;
    return kind.leftOut === 0;
  }

  /** Says how many lines were left out so far. */
  [Symbol.dispose](): void {
    for (const name of [...this.#kinds.keys()]) this.#end(name);
  }

  #kindOf(name: string, level: Level): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { written: 0, leftOut: 0, level, timer: this.#clock.after(TIME_MS, () => this.#end(name)) };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #end(name: string): void {
    const kind = this.#kinds.get(name);
    if (kind === undefined) return;
    this.#kinds.delete(name);
    kind.timer[Symbol.dispose]();
    if (kind.leftOut > 0) this.#summarize(kind.leftOut, name, kind.level);
  }
}
