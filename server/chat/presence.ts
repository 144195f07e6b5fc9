// Who is online: from the first stream in to the last one out, or a grace after it was lost. Stored as intervals.
import type { Bus } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { PresenceStore, UserRow } from "../store/store.ts";

interface OnlineUser {
  readonly row: UserRow;
  streams: number;
  /** Runs while no stream is open and the grace lasts. */
  grace: NodeJS.Timeout | undefined;
  /** The session whose stream was the last to be lost. */
  lostSessionId: number | undefined;
  /** Settles when the interval is stored as open. */
  readonly opened: Promise<void>;
}

export interface PresenceOptions {
  readonly graceMs: number;
  /** Told of a failure to store what happened while nobody waits for it. */
  readonly onError: (error: unknown) => void;
}

export class Presence implements AsyncDisposable {
  readonly #store: PresenceStore;
  readonly #bus: Bus;
  readonly #options: PresenceOptions;
  readonly #online = new Map<number, OnlineUser>();
  /** What changed since it was last told: a user and whether online now. */
  readonly #changes = new Map<number, { row: UserRow; online: boolean }>();
  #telling: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #subscription: Disposable;

  constructor(store: PresenceStore, bus: Bus, options: PresenceOptions) {
    this.#store = store;
    this.#bus = bus;
    this.#options = options;
    this.#subscription = bus.subscribe("everyone", (message) => {
      if (message.kind === "session-ended") this.#endGrace(message.userId, message.sessionId);
    });
  }

  /**
   * Takes up what the last process left: a user whose interval was open at its last heartbeat less than a grace ago
   * may still come back as if never away; every other open interval ends at that heartbeat.
   */
  async start(usersById: (ids: number[]) => Promise<Map<number, UserRow>>, now = Date.now()): Promise<void> {
    const { heartbeat, userIds } = await this.#store.openIntervals();
    const left = heartbeat + this.#options.graceMs - now;
    if (left > 0) {
      for (const row of (await usersById(userIds)).values()) this.#linger(row, left);
    } else {
      await Promise.all(userIds.map((userId) => this.#store.close(userId, heartbeat)));
    }
    await this.#store.heartbeat(now);
    this.#heartbeat = setInterval(
      () => this.#unwaited(this.#store.heartbeat(Date.now())),
      limits.presenceHeartbeatMs,
    );
    this.#heartbeat.unref();
  }

  /** A stream of the user opened. Resolves when it is stored that the user is online. */
  async enter(row: UserRow): Promise<void> {
    let user = this.#online.get(row.userId);
    if (user === undefined) {
      const opened = this.#store.open(row.userId, Date.now()).then(() => this.#changed(row, true));
      user = { row, streams: 0, grace: undefined, lostSessionId: undefined, opened };
      this.#online.set(row.userId, user);
    }
    clearTimeout(user.grace);
    user.grace = undefined;
    user.streams++;
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
    if (user === undefined) return;
    user.streams = Math.max(0, user.streams - 1);
    if (user.streams > 0) return;
    user.lostSessionId = sessionId;
    if (loggedOut || this.#options.graceMs === 0) this.#goOffline(user);
    else this.#startGrace(user, this.#options.graceMs);
  }

  /** Leaves the intervals open at a last heartbeat: who comes back within the grace was never away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#telling);
    for (const user of this.#online.values()) clearTimeout(user.grace);
    await this.#store.heartbeat(Date.now());
  }

  #linger(row: UserRow, ms: number): void {
    const opened = Promise.resolve();
    const user: OnlineUser = { row, streams: 0, grace: undefined, lostSessionId: undefined, opened };
    this.#online.set(row.userId, user);
    this.#startGrace(user, ms);
  }

  /** Who logs out after losing the last stream does not come back: nothing to wait for. */
  #endGrace(userId: number, sessionId: number): void {
    const user = this.#online.get(userId);
    if (user?.streams === 0 && user.lostSessionId === sessionId) this.#goOffline(user);
  }

  #startGrace(user: OnlineUser, ms: number): void {
    clearTimeout(user.grace);
    user.grace = setTimeout(() => this.#goOffline(user), ms);
    user.grace.unref();
  }

  #goOffline(user: OnlineUser): void {
    clearTimeout(user.grace);
    this.#online.delete(user.row.userId);
    this.#unwaited(
      this.#store.close(user.row.userId, Date.now()).then(() => {
        // Somebody who came back meanwhile has been told as online after this.
        if (!this.#online.has(user.row.userId)) this.#changed(user.row, false);
      }),
    );
  }

  #changed(row: UserRow, online: boolean): void {
    this.#changes.set(row.userId, { row, online });
    this.#telling ??= setTimeout(() => this.#tell(), limits.presenceJoinMs);
    this.#telling.unref();
  }

  #tell(): void {
    this.#telling = undefined;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    this.#bus.publish("everyone", {
      kind: "presence",
      cameOnline: changes.filter((change) => change.online).map((change) => change.row),
      wentOffline: changes.filter((change) => !change.online).map((change) => change.row),
    });
  }

  #unwaited(promise: Promise<void>): void {
    promise.catch(this.#options.onError);
  }
}
