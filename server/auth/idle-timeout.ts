// The idle time-out: ends a session that has sent no command for a given time.
import { type Clock, LONGEST_TIMER_MS, systemClock, type Timer } from "../../time/clock.ts";
import type { AccountStore, UserRow } from "../store/store.ts";

interface TrackedSession {
  readonly userId: number;
  /** When the last command arrived, in ms of the monotonic clock. */
  activeAt: number;
}

const SESSIONS_AT_A_TIME = 1000;

export class IdleTimeout implements Disposable {
  readonly #timeoutMs: number | undefined;
  readonly #onTimeout: (userId: number, sessionId: number) => void;
  readonly #clock: Clock;
  /** By session id, the longest idle first. A session that becomes active moves to the end. */
  readonly #sessions = new Map<number, TrackedSession>();
  #timer: Timer | undefined;

  /** @param timeoutMs undefined: sessions do not time out, and nothing is tracked */
  constructor(
    timeoutMs: number | undefined,
    onTimeout: (userId: number, sessionId: number) => void,
    clock: Clock = systemClock,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
    this.#clock = clock;
  }

  /**
   * Tracks all stored sessions as active now. The time during which no server was running does not count as idle, since
   * no user could send a command.
   */
  async start(accounts: Pick<AccountStore, "liveSessions">): Promise<void> {
    if (this.#timeoutMs === undefined) return;
    for (let after = 0; ; ) {
      const page = await accounts.liveSessions(after, SESSIONS_AT_A_TIME, this.#clock.now());
      for (const { userId, sessionId } of page) this.begin({ userId }, sessionId);
      const last = page.at(-1);
      if (last === undefined || page.length < SESSIONS_AT_A_TIME) return;
      after = last.sessionId;
    }
  }

  /** Tracks a session that started. */
  begin({ userId }: Pick<UserRow, "userId">, sessionId: number): void {
    if (this.#timeoutMs === undefined) return;
    this.#sessions.set(sessionId, { userId, activeAt: this.#clock.monotonic() });
    this.#setTimer();
  }

  /** Restarts the time-out of a session whose user sent a valid command. */
  active(sessionId: number): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    session.activeAt = this.#clock.monotonic();
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, session);
  }

  /** Stops tracking a session that ended. */
  end(sessionId: number): void {
    this.#sessions.delete(sessionId);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#sessions.clear();
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#timeoutMs === undefined) return;
    const [oldest] = this.#sessions.values();
    if (oldest === undefined) return;
    const leftMs = oldest.activeAt + this.#timeoutMs - this.#clock.monotonic();
    const ms = Math.min(Math.max(1, Math.ceil(leftMs)), LONGEST_TIMER_MS);
    this.#timer = this.#clock.after(ms, () => this.#check());
  }

  #check(): void {
    this.#timer = undefined;
    const end = this.#clock.monotonic() - (this.#timeoutMs ?? 0);
    for (const [sessionId, { userId, activeAt }] of this.#sessions) {
      if (activeAt > end) break;
      this.#sessions.delete(sessionId);
      this.#onTimeout(userId, sessionId);
    }
    this.#setTimer();
  }
}
