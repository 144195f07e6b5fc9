// Which users are online. A user is online from the opening of the first stream until the last one is closed, or, if
// the last one is lost, until a grace period has passed. The store keeps these times as intervals.
import type { Clock, Timer } from "../../time/clock.ts";
import type { Bus } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { Refusal } from "../reasons.ts";
import type { BlockStore, PresenceStore, UserRow } from "../store/store.ts";

interface OnlineSession {
  streams: number;
  /** The timer that is started when the session loses its last stream. The session stays online until it fires. */
  grace: Timer | undefined;
}

interface OnlineUser {
  readonly row: UserRow;
  /** Sessions with a stream or a running grace period. The user is online while there is at least one. */
  readonly sessions: Map<number, OnlineSession>;
  /** Settles when the open interval is stored. */
  readonly opened: Promise<void>;
}

interface Change {
  readonly row: UserRow;
  readonly online: boolean;
}

/** Stands for all sessions that a user had when the previous server process ended. */
const EARLIER_SESSION = 0;

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
  readonly #store: PresenceStore;
  readonly #blocks: Pick<BlockStore, "blockedBy">;
  readonly #bus: Bus;
  readonly #options: PresenceOptions;
  readonly #clock: Clock;
  readonly #online = new Map<number, OnlineUser>();
  /** By user: the newest change that is not published yet. */
  readonly #changes = new Map<number, Change>();
  #publishTimer: Timer | undefined;
  /**
   * Resolves when the last batch is published. Batches are published one after another, in the order of the changes.
   */
  #published: Promise<void> = Promise.resolve();
  #heartbeat: Timer | undefined;
  readonly #subscription: Disposable;
  #onSessionGone: ((userId: number, sessionId: number) => void) | undefined;

  constructor(
    store: PresenceStore,
    blocks: Pick<BlockStore, "blockedBy">,
    bus: Bus,
    options: PresenceOptions,
  ) {
    this.#store = store;
    this.#blocks = blocks;
    this.#bus = bus;
    this.#options = options;
    this.#clock = options.clock;
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
    const now = this.#clock.now();
    const { heartbeat, userIds } = await this.#store.openIntervals();
    // Math.min ensures that a system clock that was set back does not extend the grace period.
    const leftMs = Math.min(heartbeat + this.#options.graceMs - now, this.#options.graceMs);
    if (leftMs > 0) {
      for (const row of (await usersById(userIds)).values()) {
        const user: OnlineUser = { row, sessions: new Map(), opened: Promise.resolve() };
        this.#online.set(row.userId, user);
        this.#startGrace(user, EARLIER_SESSION, leftMs);
      }
    } else {
      await Promise.all(userIds.map((userId) => this.#store.close(userId, heartbeat)));
    }
    await this.#store.heartbeat(now);
    this.#heartbeat = this.#clock.every(limits.presenceHeartbeatMs, () =>
      this.#reportFailure(this.#store.heartbeat(this.#clock.now())),
    );
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
  async enter(row: UserRow, sessionId: number): Promise<void> {
    const { sessionsPerUser, tooMany } = this.#options;
    let user = this.#online.get(row.userId);
    if (user?.sessions.has(sessionId) !== true && this.onlineSessions(row.userId) >= sessionsPerUser) {
      throw tooMany(sessionsPerUser);
    }
    if (user === undefined) {
      const opened = this.#store.open(row.userId, this.#clock.now()).then(() => this.#changed(row, true));
      user = { row, sessions: new Map(), opened };
      this.#online.set(row.userId, user);
    }
    const session = user.sessions.get(sessionId) ?? { streams: 0, grace: undefined };
    session.grace?.[Symbol.dispose]();
    session.grace = undefined;
    session.streams++;
    user.sessions.set(sessionId, session);
    try {
      await user.opened;
    } catch (error) {
      // The interval is not stored, so the user's next stream must try again.
      if (this.#online.get(row.userId) === user) this.#online.delete(row.userId);
      throw error;
    }
  }

  /**
   * Call it when a stream for which `enter` was called has ended.
   * @param sessionEnded the session has ended too, so it gets no grace period
   */
  leave(userId: number, sessionId: number, sessionEnded: boolean): void {
    const user = this.#online.get(userId);
    const session = user?.sessions.get(sessionId);
    if (user === undefined || session === undefined) return;
    session.streams--;
    if (session.streams > 0) return;
    if (sessionEnded || this.#options.graceMs === 0) this.#endSession(user, sessionId);
    else this.#startGrace(user, sessionId, this.#options.graceMs);
  }

  /** Leaves the intervals open, and writes a last heartbeat from which the next process continues. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#heartbeat?.[Symbol.dispose]();
    this.#publishTimer?.[Symbol.dispose]();
    for (const { sessions } of this.#online.values()) {
      for (const { grace } of sessions.values()) grace?.[Symbol.dispose]();
    }
    await this.#published;
    this.#publishTimer?.[Symbol.dispose]();
    await this.#store.heartbeat(this.#clock.now());
  }

  #startGrace(user: OnlineUser, sessionId: number, ms: number): void {
    const grace = this.#clock.after(ms, () => this.#endSession(user, sessionId));
    user.sessions.get(sessionId)?.grace?.[Symbol.dispose]();
    user.sessions.set(sessionId, { streams: 0, grace });
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
    this.#reportFailure(
      this.#store.close(user.row.userId, this.#clock.now()).then(() => {
        // A user who has come back in the meantime is published as online later.
        if (!this.#online.has(user.row.userId)) this.#changed(user.row, false);
      }),
    );
  }

  /**
   * Schedules the change to be published, even if it undoes one that is not published yet: a client may have read the
   * state in between, in Welcome or ListUsers.
   */
  #changed(row: UserRow, online: boolean): void {
    this.#changes.set(row.userId, { row, online });
    this.#publishTimer ??= this.#clock.after(limits.presenceJoinMs, () => this.#publishChanges());
  }

  #publishChanges(): void {
    this.#publishTimer = undefined;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    for (let at = 0; at < changes.length; at += limits.presencePerEvent) {
      const some = changes.slice(at, at + limits.presencePerEvent);
      this.#published = this.#published.then(() => this.#publish(some));
    }
  }

  /** Never rejects. */
  async #publish(changes: readonly Change[]): Promise<void> {
    try {
      const hidden = hiddenFrom(await this.#blocks.blockedBy(changes.map(({ row }) => row.userId)));
      this.#bus.publish("everyone", {
        kind: "presence",
        cameOnline: changes.filter((change) => change.online).map((change) => change.row),
        wentOffline: changes.filter((change) => !change.online).map((change) => change.row),
        hidden,
      });
    } catch (error) {
      this.#options.onError(error);
      // The changes are published with the next change or after a while, when the store may be available again.
      for (const change of changes) {
        if (!this.#changes.has(change.row.userId)) this.#changes.set(change.row.userId, change);
      }
      this.#publishTimer ??= this.#clock.after(limits.presenceHeartbeatMs, () => this.#publishChanges());
    }
  }

  #reportFailure(promise: Promise<void>): void {
    promise.catch(this.#options.onError);
  }
}

/**
 * Converts pairs of blocker and blocked user to a map: by reader, the users whose presence is hidden from that reader.
 */
function hiddenFrom(pairs: readonly (readonly [number, number])[]): Map<number, Set<number>> {
  const hidden = new Map<number, Set<number>>();
  for (const [blockerId, blockedId] of pairs) {
    const blockers = hidden.get(blockedId) ?? new Set();
    blockers.add(blockerId);
    hidden.set(blockedId, blockers);
  }
  return hidden;
}
