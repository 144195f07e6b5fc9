// Who is online: from the first stream in until the last one is out, or was lost longer than a grace ago. Stored as
// intervals.
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import type { Bus } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { Refusal } from "../reasons.ts";
import type { BlockStore, PresenceStore, UserRow } from "../store/store.ts";

interface OnlineSession {
  streams: number;
  /** Runs from the loss of a stream: until it is over the session may come back as if never away. */
  grace: Timer | undefined;
}

interface OnlineUser {
  readonly row: UserRow;
  /** Sessions with a stream or a grace that runs; the user is online while there is one. */
  readonly sessions: Map<number, OnlineSession>;
  /** Settles when the interval is stored as open. */
  readonly opened: Promise<void>;
}

interface Change {
  readonly row: UserRow;
  readonly online: boolean;
}

/** Stands for the sessions that a user had when the last process ended. */
const EARLIER_SESSION = 0;

export interface PresenceOptions {
  readonly graceMs: number;
  /** Sessions of one user that may be online at once. */
  readonly sessionsPerUser: number;
  /** What whoever comes beyond them is told. */
  readonly tooMany: (most: number) => Refusal;
  /** Told of a failure to store what happened while nobody waits for it. */
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock | undefined;
}

export class Presence implements AsyncDisposable {
  readonly #store: PresenceStore;
  readonly #blocks: Pick<BlockStore, "blockedBy">;
  readonly #bus: Bus;
  readonly #options: PresenceOptions;
  readonly #clock: Clock;
  readonly #online = new Map<number, OnlineUser>();
  /** What changed since it was last told: a user and whether online now. */
  readonly #changes = new Map<number, Change>();
  #telling: Timer | undefined;
  /** Tells one after the other, in the order of what happened. */
  #told: Promise<void> = Promise.resolve();
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
    this.#clock = options.clock ?? systemClock;
    this.#subscription = bus.subscribe("everyone", (message) => {
      // Who logs out does not come back: nothing to wait for.
      if (message.kind === "session-ended") this.#endGrace(message.userId, message.sessionId);
    });
  }

  /**
   * Takes up what the last process left: a user whose interval was open at its last heartbeat less than a grace ago
   * may still come back as if never away; every other open interval ends at that heartbeat.
   */
  async start(
    usersById: (ids: number[]) => Promise<Map<number, UserRow>>,
    now = this.#clock.now(),
  ): Promise<void> {
    const { heartbeat, userIds } = await this.#store.openIntervals();
    // A clock that was set back makes no grace longer.
    const left = Math.min(heartbeat + this.#options.graceMs - now, this.#options.graceMs);
    if (left > 0) {
      for (const row of (await usersById(userIds)).values()) {
        const user: OnlineUser = { row, sessions: new Map(), opened: Promise.resolve() };
        this.#online.set(row.userId, user);
        this.#startGrace(user, EARLIER_SESSION, left);
      }
    } else {
      await Promise.all(userIds.map((userId) => this.#store.close(userId, heartbeat)));
    }
    await this.#store.heartbeat(now);
    this.#heartbeat = this.#clock.every(limits.presenceHeartbeatMs, () =>
      this.#unwaited(this.#store.heartbeat(this.#clock.now())),
    );
  }

  /** How many sessions of the user are online, those within their grace included. */
  onlineSessions(userId: number): number {
    const sessions = this.#online.get(userId)?.sessions;
    return sessions === undefined ? 0 : sessions.size - (sessions.has(EARLIER_SESSION) ? 1 : 0);
  }

  /** The one listener that hears of each session that is not online any more, its grace included. */
  onSessionGone(listener: (userId: number, sessionId: number) => void): void {
    this.#onSessionGone = listener;
  }

  /**
   * A stream of the session opened. Resolves when it is stored that the user is online.
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
      // Not stored: whoever comes next tries again.
      if (this.#online.get(row.userId) === user) this.#online.delete(row.userId);
      throw error;
    }
  }

  /** A stream that had entered is over; `loggedOut` skips the grace. */
  leave(userId: number, sessionId: number, loggedOut: boolean): void {
    const user = this.#online.get(userId);
    const session = user?.sessions.get(sessionId);
    if (user === undefined || session === undefined) return;
    session.streams--;
    if (session.streams > 0) return;
    if (loggedOut || this.#options.graceMs === 0) this.#endSession(user, sessionId);
    else this.#startGrace(user, sessionId, this.#options.graceMs);
  }

  /** Leaves the intervals open at a last heartbeat: who comes back within the grace was never away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#heartbeat?.[Symbol.dispose]();
    this.#telling?.[Symbol.dispose]();
    for (const { sessions } of this.#online.values()) {
      for (const { grace } of sessions.values()) grace?.[Symbol.dispose]();
    }
    await this.#told;
    this.#telling?.[Symbol.dispose]();
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
    this.#unwaited(
      this.#store.close(user.row.userId, this.#clock.now()).then(() => {
        // Somebody who came back meanwhile has been told as online after this.
        if (!this.#online.has(user.row.userId)) this.#changed(user.row, false);
      }),
    );
  }

  /**
   * Told even where it undoes what was not told yet: somebody may have been welcomed, or have asked, in between.
   */
  #changed(row: UserRow, online: boolean): void {
    this.#changes.set(row.userId, { row, online });
    this.#telling ??= this.#clock.after(limits.presenceJoinMs, () => this.#tell());
  }

  #tell(): void {
    this.#telling = undefined;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    for (let at = 0; at < changes.length; at += limits.presencePerEvent) {
      const some = changes.slice(at, at + limits.presencePerEvent);
      this.#told = this.#told.then(() => this.#publish(some));
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
      // Told with what changes next, or a while later: the store may be back by then.
      for (const change of changes) {
        if (!this.#changes.has(change.row.userId)) this.#changes.set(change.row.userId, change);
      }
      this.#telling ??= this.#clock.after(limits.presenceHeartbeatMs, () => this.#tell());
    }
  }

  #unwaited(promise: Promise<void>): void {
    promise.catch(this.#options.onError);
  }
}

/** From pairs of blocker and blocked: by reader, of whom not to tell. */
function hiddenFrom(pairs: readonly (readonly [number, number])[]): Map<number, Set<number>> {
  const hidden = new Map<number, Set<number>>();
  for (const [blockerId, blockedId] of pairs) {
    const blockers = hidden.get(blockedId) ?? new Set();
    blockers.add(blockerId);
    hidden.set(blockedId, blockers);
  }
  return hidden;
}
