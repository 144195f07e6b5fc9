// Which users are typing a message to this user.
import type { Clock } from "../../../../time/clock.ts";

/** Without another event a user counts as typing for this long, ms: set by the contract. */
const EXPIRY_MS = 10_000;
/** The most users that are tracked, as a bound against a hostile server. */
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
    const expiry = this.#clock.after(EXPIRY_MS, () => {
      this.#typing.delete(username);
      this.#changed();
    });
    this.#typing.set(username, expiry);
  }

  stopped(username: string): void {
    this.#typing.get(username)?.[Symbol.dispose]();
    this.#typing.delete(username);
  }

  [Symbol.dispose](): void {
    for (const username of [...this.#typing.keys()]) this.stopped(username);
  }
}
