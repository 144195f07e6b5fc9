// Who types a message to this user now.
import type { Clock } from "../model/clock.ts";

/** A "types" lapses after this, ms: the contract says so. */
const LAPSE_MS = 10_000;
/** More than anybody can look at; a server that tells of more is not believed. */
const MOST = 100;

export class TypingUsers implements Disposable {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #typing = new Map<string, Disposable>();

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  isTyping(username: string): boolean {
    return this.#typing.has(username);
  }

  heard(username: string, typing: boolean): void {
    this.stopped(username);
    if (!typing || this.#typing.size >= MOST) return;
    const lapse = this.#clock.after(LAPSE_MS, () => {
      this.#typing.delete(username);
      this.#changed();
    });
    this.#typing.set(username, lapse);
  }

  stopped(username: string): void {
    this.#typing.get(username)?.[Symbol.dispose]();
    this.#typing.delete(username);
  }

  [Symbol.dispose](): void {
    for (const username of [...this.#typing.keys()]) this.stopped(username);
  }
}
