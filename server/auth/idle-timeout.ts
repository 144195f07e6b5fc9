// Which session has been without a command for too long: one clock for each, started anew by whatever a person does.
import type { AccountStore, UserRow } from "../store/store.ts";

interface Clock {
  readonly userId: number;
  /** When the last command came, by performance.now(), ms. */
  since: number;
}

const SESSIONS_AT_A_TIME = 1000;
/** The longest time that a timer of Node's can run, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class IdleTimeout implements Disposable {
  readonly #timeoutMs: number | undefined;
  readonly #onTimeout: (userId: number, sessionId: number) => void;
  /** The longest idle first: whoever is active goes to the end. */
  readonly #clocks = new Map<number, Clock>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs undefined: nobody ever times out, and nothing is remembered */
  constructor(timeoutMs: number | undefined, onTimeout: (userId: number, sessionId: number) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
  }

  /** Starts the clocks of all sessions: while no server ran, nobody could give a command. */
  async start(accounts: Pick<AccountStore, "liveSessions">): Promise<void> {
    if (this.#timeoutMs === undefined) return;
    for (let after = 0; ; ) {
      const page = await accounts.liveSessions(after, SESSIONS_AT_A_TIME, Date.now());
      for (const { userId, sessionId } of page) this.begin({ userId }, sessionId);
      const last = page.at(-1);
      if (last === undefined || page.length < SESSIONS_AT_A_TIME) return;
      after = last.sessionId;
    }
  }

  /** A session was started. */
  begin({ userId }: Pick<UserRow, "userId">, sessionId: number): void {
    if (this.#timeoutMs === undefined) return;
    this.#clocks.set(sessionId, { userId, since: performance.now() });
    this.#setTimer();
  }

  /** A person gave a valid command. */
  active(sessionId: number): void {
    const clock = this.#clocks.get(sessionId);
    if (clock === undefined) return;
    clock.since = performance.now();
    this.#clocks.delete(sessionId);
    this.#clocks.set(sessionId, clock);
  }

  /** The session is over. */
  end(sessionId: number): void {
    this.#clocks.delete(sessionId);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#clocks.clear();
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#timeoutMs === undefined) return;
    const [oldest] = this.#clocks.values();
    if (oldest === undefined) return;
    const leftMs = oldest.since + this.#timeoutMs - performance.now();
    this.#timer = setTimeout(() => this.#check(), Math.min(Math.max(1, Math.ceil(leftMs)), LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  #check(): void {
    this.#timer = undefined;
    const end = performance.now() - (this.#timeoutMs ?? 0);
    for (const [sessionId, { userId, since }] of this.#clocks) {
      if (since > end) break;
      this.#clocks.delete(sessionId);
      this.#onTimeout(userId, sessionId);
    }
    this.#setTimer();
  }
}
