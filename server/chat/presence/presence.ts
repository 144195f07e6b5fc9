// Which users are online. A user is online from the opening of the first stream until the last one is closed. A program
// that lost its last stream stays online for a grace period; one that left deliberately, or whose session ended, does not.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { Bus } from "../../bus/bus.ts";
import { limits } from "../../limits.ts";
import type { Refusal } from "../../reasons.ts";
import type { BlockStore, PresenceStore, UserRow } from "../../store/store.ts";
import { PresenceChanges } from "./presence-changes.ts";
import { PresenceIntervals } from "./presence-intervals.ts";

interface OnlineSession {
  streams: number;
  /** By process_id: when a stream of that program was lost, monotonic ms. The newest comes last. */
  readonly lost: Map<string, number>;
  /** The timer that runs while the session has no stream. The session stays online until it fires. */
  grace: Timer | undefined;
}

interface OnlineUser {
  readonly row: UserRow;
  /** Sessions with a stream or a running grace period. The user is online while there is at least one. */
  readonly sessions: Map<number, OnlineSession>;
  /** Settles when the open interval is stored. */
  readonly opened: Promise<void>;
}

/** Stands for all sessions that a user had when the previous server process ended. */
const EARLIER_SESSION = 0;

/** How a stream ended: "lost" (also by a half-close), deliberately by Leave, or with its session. */
export type StreamEnd = "lost" | "left" | "session-ended";

export interface PresenceOptions {
  /** How long a session stays online after its last stream was lost, ms; 0 for no grace period. */
  readonly graceMs: number;
  /** How many sessions of one user may be online at the same time. */
  readonly sessionsPerUser: number;
  /** Makes the refusal of a session that exceeds `sessionsPerUser`. */
  readonly tooMany: (most: number) => Refusal;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

export class Presence implements AsyncDisposable {
  readonly #options: PresenceOptions;
  readonly #clock: Clock;
  readonly #intervals: PresenceIntervals;
  readonly #changes: PresenceChanges;
  readonly #store: PresenceStore;
  readonly #online = new Map<number, OnlineUser>();
  readonly #subscription: Disposable;
  #isDisposed = false;
  #onSessionGone: ((userId: number, sessionId: number) => void) | undefined;

  constructor(
    store: PresenceStore,
    blocks: Pick<BlockStore, "blockedBy" | "isBlocking">,
    bus: Bus,
    options: PresenceOptions,
  ) {
    const { clock, onError } = options;
    this.#options = options;
    this.#clock = clock;
    this.#store = store;
    this.#intervals = new PresenceIntervals({ store, bus, clock, onError });
    const isOnline = (userId: number): boolean =>
      this.#online.has(userId) || this.#intervals.isClosing(userId);
    this.#changes = new PresenceChanges({ blocks, bus, clock, onError, isOnline });
    this.#subscription = bus.subscribe("everyone", (message) => {
      // A session that has ended cannot return, so its grace period ends too.
      if (message.kind === "session-ended") this.#endGrace(message.userId, message.sessionId);
    });
  }

  /**
   * Continues where the previous process stopped. If its last heartbeat is less than a grace period ago, its online users
   * stay online for the rest of that period. Otherwise their intervals end at that heartbeat.
   */
  async start(usersById: (ids: number[]) => Promise<Map<number, UserRow>>): Promise<void> {
    const { graceMs } = this.#options;
    const { heartbeat, userIds } = await this.#intervals.start();
    // Math.min ensures that a system clock that was set back does not extend the grace period.
    const leftMs = Math.min(heartbeat + graceMs - this.#clock.now(), graceMs);
    if (leftMs > 0) {
      for (const row of (await usersById(userIds)).values()) {
        const user: OnlineUser = { row, sessions: new Map(), opened: Promise.resolve() };
        this.#online.set(row.userId, user);
        const session: OnlineSession = { streams: 0, lost: new Map(), grace: undefined };
        user.sessions.set(EARLIER_SESSION, session);
        this.#startGrace(user, EARLIER_SESSION, session, leftMs);
      }
    } else {
      await Promise.all(userIds.map((userId) => this.#store.close(userId, heartbeat)));
    }
    await this.#intervals.startHeartbeat();
  }

  /** The number of the user's sessions that are online, including those in their grace period. */
  onlineSessions(userId: number): number {
    const sessions = this.#online.get(userId)?.sessions;
    return sessions === undefined ? 0 : sessions.size - (sessions.has(EARLIER_SESSION) ? 1 : 0);
  }

  /** Sets the one listener that is called with each session that stops being online. */
  onSessionGone(listener: (userId: number, sessionId: number) => void): void {
    this.#onSessionGone = listener;
  }

  /**
   * Call it when a stream of the session opens. Resolves when the store has recorded that the user is online.
   * @throws Refusal TOO_MANY_SESSIONS
   */
  async enter(row: UserRow, sessionId: number, processId: string): Promise<void> {
    const { sessionsPerUser, tooMany } = this.#options;
    let user = this.#online.get(row.userId);
    if (user?.sessions.has(sessionId) !== true && this.onlineSessions(row.userId) >= sessionsPerUser) {
      throw tooMany(sessionsPerUser);
    }
    if (user === undefined) {
      const opened = this.#intervals.open(row.userId).then(() => this.#changes.changed(row, true));
      user = { row, sessions: new Map(), opened };
      this.#online.set(row.userId, user);
    }
    const session = user.sessions.get(sessionId) ?? { streams: 0, lost: new Map(), grace: undefined };
    session.grace?.[Symbol.dispose]();
    session.grace = undefined;
    session.lost.delete(processId);
    session.streams++;
    user.sessions.set(sessionId, session);
    try {
      await user.opened;
    } catch (error) {
      // The interval may be stored or not. It is closed, and the user's next stream must try again.
      if (!this.#isDisposed && this.#online.get(row.userId) === user) {
        this.#online.delete(row.userId);
        this.#close(row);
      }
      throw error;
    }
  }

  /**
   * Call it when a stream for which `enter` was called has ended. A stream that ends after the disposal changes nothing:
   * its interval stays open, like those of all users who were online when the server stopped.
   */
  leave(userId: number, sessionId: number, processId: string, how: StreamEnd): void {
    if (this.#isDisposed) return;
    const user = this.#online.get(userId);
    const session = user?.sessions.get(sessionId);
    if (user === undefined || session === undefined) return;
    session.streams--;
    session.lost.delete(processId);
    if (how === "lost") {
      session.lost.set(processId, this.#clock.monotonic());
      const [oldest] = session.lost.keys();
      if (session.lost.size > limits.leavingPrograms && oldest !== undefined) session.lost.delete(oldest);
    }
    if (session.streams > 0) return;
    if (how === "session-ended") this.#endSession(user, sessionId);
    else this.#continueGrace(user, sessionId, session);
  }

  /**
   * Ends the grace period of a program that left deliberately after its last stream had ended. Resolves when the store
   * has recorded it, if the user is offline now.
   */
  async leaveProgram(userId: number, sessionId: number, processId: string): Promise<void> {
    if (this.#isDisposed) return;
    const user = this.#online.get(userId);
    const session = user?.sessions.get(sessionId);
    if (user !== undefined && session !== undefined) {
      session.lost.delete(processId);
      if (session.streams === 0) this.#continueGrace(user, sessionId, session);
    }
    await this.#intervals.attempted(userId);
  }

  /** Call it when a block was stored or removed. Tells the other user at once what that user may see of the blocker. */
  async blockChanged(blocker: UserRow, otherId: number): Promise<void> {
    await this.#changes.blockChanged(blocker, otherId);
  }

  /** Leaves the intervals open, and writes a last heartbeat from which the next process continues. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#subscription[Symbol.dispose]();
    for (const { sessions } of this.#online.values()) {
      for (const { grace } of sessions.values()) grace?.[Symbol.dispose]();
    }
    await this.#changes[Symbol.asyncDispose]();
    await this.#intervals[Symbol.asyncDispose]();
  }

  /** Lets a session without a stream stay online for as long as the grace period of its lost programs lasts. */
  #continueGrace(user: OnlineUser, sessionId: number, session: OnlineSession): void {
    const newest = Math.max(...session.lost.values());
    const leftMs = newest + this.#options.graceMs - this.#clock.monotonic();
    if (leftMs > 0) this.#startGrace(user, sessionId, session, leftMs);
    else this.#endSession(user, sessionId);
  }

  #startGrace(user: OnlineUser, sessionId: number, session: OnlineSession, ms: number): void {
    session.grace?.[Symbol.dispose]();
    session.grace = this.#clock.after(ms, () => this.#endSession(user, sessionId));
  }

  #endGrace(userId: number, sessionId: number): void {
    const user = this.#online.get(userId);
    if (user?.sessions.get(sessionId)?.streams === 0) this.#endSession(user, sessionId);
  }

  #endSession(user: OnlineUser, sessionId: number): void {
    user.sessions.get(sessionId)?.grace?.[Symbol.dispose]();
    user.sessions.delete(sessionId);
    this.#onSessionGone?.(user.row.userId, sessionId);
    if (user.sessions.size > 0) return;
    this.#online.delete(user.row.userId);
    this.#close(user.row);
  }

  #close(row: UserRow): void {
    this.#intervals.close(row.userId, () => {
      // A user who has come back in the meantime is published as online later.
      if (!this.#online.has(row.userId)) this.#changes.changed(row, false);
    });
  }
}
