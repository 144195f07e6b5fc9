// The idle time-out: ends a session that has sent no command for a given time, on any node.
//
// Each node knows exactly when it received the last command of a session, and ends the session at its time-out only if the
// store knows of no later command that another node received. A node writes the time of a command within a quarter of the
// time-out, and immediately if it has written none of that session for half of it, so the store always knows early enough.
import { type Clock, LONGEST_TIMER_MS, systemClock, type Timer } from "../../../time/clock.ts";
import type { AccountStore, UserRow } from "../../store/store.ts";
import { ActivityWriter } from "./activity-writer.ts";

export interface IdleTimeoutOptions {
  readonly accounts: Pick<AccountStore, "liveSessions" | "reportActivity" | "endIdleSession">;
  /** undefined: sessions do not time out, and nothing is tracked. */
  readonly timeoutMs: number | undefined;
  /** Called when the store has ended an idle session. */
  readonly onTimeout: (userId: number, sessionId: number) => void;
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock | undefined;
}

interface TrackedSession {
  readonly userId: number;
  /** When the last known command arrived, in ms of the monotonic clock. */
  activeAt: number;
  /** The latest known time of a command, ms since 1970. The store has it, or receives it from this node. */
  activeTime: number;
  /** When this node last wrote the time of a command without delay, in ms of the monotonic clock. */
  writtenAt: number;
}

const SESSIONS_AT_A_TIME = 1000;
/** The longest delay of a write, ms. */
const WRITE_EVERY_MS = 10_000;

export class IdleTimeout implements AsyncDisposable {
  readonly #options: IdleTimeoutOptions;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #writer: ActivityWriter;
  /** The sessions whose last command this node received, by session id, the longest idle first. */
  readonly #sessions = new Map<number, TrackedSession>();
  /** The sessions whose last known command another node received. Each has a timer. */
  readonly #elsewhere = new Map<number, { readonly session: TrackedSession; timer: Timer }>();
  /** The highest session id that was read from the store. */
  #lastRead = 0;
  #timer: Timer | undefined;
  readonly #endings = new Set<Promise<void>>();
  #isDisposed = false;

  constructor(options: IdleTimeoutOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
    this.#clock = options.clock ?? systemClock;
    const everyMs = Math.min(WRITE_EVERY_MS, this.#timeoutMs / 4);
    this.#writer = new ActivityWriter({ ...options, clock: this.#clock, everyMs });
  }

  /**
   * Tracks all stored sessions as active now. The time during which no server was running does not count as idle, since
   * no user could send a command.
   */
  async start(): Promise<void> {
    await this.#readNew(({ userId, sessionId, activeTime }) =>
      this.#track(sessionId, { userId, activeTime, ...this.#activeNow() }),
    );
  }

  /** Tracks the sessions that other nodes have started. A node may stop before the sessions that it started. */
  async readNew(): Promise<void> {
    await this.#readNew(({ userId, sessionId, activeTime }) => this.#wait(userId, sessionId, activeTime));
  }

  /** Tracks a session that started on this node at this time. */
  begin({ userId }: Pick<UserRow, "userId">, sessionId: number, time: number): void {
    this.#track(sessionId, { userId, activeTime: time, ...this.#activeNow() });
  }

  /** Restarts the time-out of a session whose user sent a valid command. */
  active({ userId }: Pick<UserRow, "userId">, sessionId: number): void {
    if (this.#options.timeoutMs === undefined || this.#isDisposed) return;
    const earlier = this.#sessions.get(sessionId) ?? this.#elsewhere.get(sessionId)?.session;
    const { activeAt, writtenAt: now } = this.#activeNow();
    const isUrgent = earlier === undefined || now - earlier.writtenAt >= this.#timeoutMs / 2;
    // The time does not fall when the clock is set back.
    const activeTime = Math.max(earlier?.activeTime ?? 0, this.#clock.now());
    const writtenAt = isUrgent ? now : earlier.writtenAt;
    this.end(sessionId);
    this.#track(sessionId, { userId, activeAt, activeTime, writtenAt });
    this.#writer.report(sessionId, activeTime, isUrgent);
  }

  /** Stops tracking a session that ended. */
  end(sessionId: number): void {
    this.#sessions.delete(sessionId);
    this.#elsewhere.get(sessionId)?.timer[Symbol.dispose]();
    this.#elsewhere.delete(sessionId);
    this.#writer.forget(sessionId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    for (const { timer } of this.#elsewhere.values()) timer[Symbol.dispose]();
    this.#sessions.clear();
    this.#elsewhere.clear();
    await Promise.all(this.#endings);
    await this.#writer[Symbol.asyncDispose]();
  }

  #activeNow(): Pick<TrackedSession, "activeAt" | "writtenAt"> {
    const now = this.#clock.monotonic();
    return { activeAt: now, writtenAt: now };
  }

  /** Reads the sessions that started since the last call. Those that are tracked already are left out. */
  async #readNew(
    track: (session: { userId: number; sessionId: number; activeTime: number }) => void,
  ): Promise<void> {
    if (this.#options.timeoutMs === undefined) return;
    for (;;) {
      const page = await this.#options.accounts.liveSessions(
        this.#lastRead,
        SESSIONS_AT_A_TIME,
        this.#clock.now(),
      );
      for (const session of page) {
        this.#lastRead = session.sessionId;
        if (this.#isDisposed) return;
        if (!this.#sessions.has(session.sessionId) && !this.#elsewhere.has(session.sessionId)) track(session);
      }
      if (page.length < SESSIONS_AT_A_TIME) return;
    }
  }

  #track(sessionId: number, session: TrackedSession): void {
    if (this.#options.timeoutMs === undefined || this.#isDisposed) return;
    this.#sessions.set(sessionId, session);
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#timer !== undefined) return;
    const [oldest] = this.#sessions.values();
    if (oldest === undefined) return;
    this.#timer = this.#clock.after(this.#timerMs(oldest.activeAt), () => this.#check());
  }

  #timerMs(activeAt: number): number {
    const leftMs = activeAt + this.#timeoutMs - this.#clock.monotonic();
    return Math.min(Math.max(1, Math.ceil(leftMs)), LONGEST_TIMER_MS);
  }

  #check(): void {
    this.#timer = undefined;
    const end = this.#clock.monotonic() - this.#timeoutMs;
    for (const [sessionId, session] of this.#sessions) {
      if (session.activeAt > end) break;
      this.#sessions.delete(sessionId);
      this.#endIdle(sessionId, session);
    }
    this.#setTimer();
  }

  /** Waits for the time-out of a session whose last known command another node received at that time. */
  #wait(userId: number, sessionId: number, activeTime: number): void {
    // The clocks of two nodes differ a little, and any clock may be set.
    const idleMs = Math.min(Math.max(0, this.#clock.now() - activeTime), this.#timeoutMs);
    const activeAt = this.#clock.monotonic() - idleMs;
    const session = { userId, activeAt, activeTime, writtenAt: Number.NEGATIVE_INFINITY };
    const wait = (): Timer =>
      this.#clock.after(this.#timerMs(activeAt), () => {
        const waiting = this.#elsewhere.get(sessionId);
        if (waiting?.session !== session) return;
        if (this.#clock.monotonic() < activeAt + this.#timeoutMs) {
          waiting.timer = wait();
          return;
        }
        this.#elsewhere.delete(sessionId);
        this.#endIdle(sessionId, session);
      });
    this.#elsewhere.set(sessionId, { session, timer: wait() });
  }

  #endIdle(sessionId: number, session: TrackedSession): void {
    const ending = this.#endUnlessActive(sessionId, session).catch((error: unknown) => {
      this.#options.onError(error);
      this.#track(sessionId, { ...session, ...this.#activeNow() });
    });
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  async #endUnlessActive(sessionId: number, { userId, activeTime }: TrackedSession): Promise<void> {
    const result = await this.#options.accounts.endIdleSession(
      userId,
      sessionId,
      activeTime,
      this.#clock.now(),
    );
    if (result.status === "ended") this.#options.onTimeout(userId, sessionId);
    // A command may have arrived at this node meanwhile.
    const isTracked = this.#sessions.has(sessionId) || this.#isDisposed;
    if (result.status === "active" && !isTracked) this.#wait(userId, sessionId, result.activeTime);
  }
}
