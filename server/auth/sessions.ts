// Starts, authenticates and ends sessions, which clients name by tokens. Sessions are cached, so that a call reads nothing
// from the store, until the store or the bus reports a change, so that a revocation takes effect immediately.
import { LRUCache } from "lru-cache";
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import type { SessionEndedMessage } from "../bus/bus.ts";
import type { NodeBus } from "../bus/node-bus.ts";
import type { ClientManager } from "../client-manager.ts";
import { formatId, parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { NodeLease } from "../nodes/node-lease.ts";
import { Refusal } from "../reasons.ts";
import type {
  AccountStore,
  ClientDescription,
  OnlineBound,
  PresenceStore,
  SessionRow,
  UserRow,
} from "../store/store.ts";
import { SessionCache } from "./session-cache.ts";
import { EndedSessions } from "./session-end/ended-sessions.ts";
import { IdleTimeout } from "./session-end/idle-timeout.ts";
import { TokenBucket } from "./token-bucket.ts";
import { hashSecret, newSecret } from "./tokens.ts";
import { toUser } from "./user-messages.ts";

export interface SessionsOptions {
  readonly accounts: AccountStore;
  readonly presence: Pick<PresenceStore, "connectedElsewhere">;
  readonly lease: Pick<NodeLease, "epoch">;
  readonly bus: NodeBus;
  readonly manager: ClientManager;
  readonly serverId: string;
  readonly sessionLifetimeMs: number;
  /** A session ends after this many ms without a command; undefined: never. */
  readonly idleTimeoutMs: number | undefined;
  /** Commands and calls that one session may make each second. */
  readonly callRate: number;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

export interface ListedSession extends SessionRow {
  /** Whether the session has a stream, on any node. */
  readonly isConnected: boolean;
}

/** An authenticated session, with its rate limit. */
export interface ActiveSession {
  readonly row: SessionRow;
  readonly bucket: TokenBucket;
  /** Restarts the idle time-out. Call it for each valid command that comes from a person, not from a program. */
  readonly reportActivity: () => void;
}

export interface SessionStart {
  readonly user: UserRow;
  /** The hash that the password was checked against. It must still be the user's. */
  readonly passwordHash: string;
  /** If undefined or without an id, the session gets a new device. */
  readonly device?: DeviceKey | undefined;
  readonly client: ClientDescription;
  /** The client's network address, without port. */
  readonly address: string;
  /** See NewSession. */
  readonly mostOnline?: OnlineBound | undefined;
}

/** How often the last use of a session is written to the store, ms. */
const TOUCH_EVERY_MS = 60 * 60_000;
const SWEEP_EVERY_MS = 60_000;

export class Sessions implements AsyncDisposable {
  readonly #options: SessionsOptions;
  readonly #clock: Clock;
  readonly #cache: SessionCache<ActiveSession>;
  readonly #buckets = new LRUCache<number, TokenBucket>({ max: limits.cachedSessions });
  /** When the use of each session was last written to the store, ms since 1970. */
  readonly #touched = new LRUCache<number, number>({ max: limits.cachedSessions });
  /** Incremented by each change that may have made a concurrent read of the store stale. */
  #generation = 0;
  readonly #idle: IdleTimeout;
  readonly #ended: EndedSessions;
  readonly #subscription: Disposable;
  readonly #sweeper: Timer;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#cache = new SessionCache(this.#clock);
    const { accounts, log } = options;
    this.#idle = new IdleTimeout({
      accounts,
      timeoutMs: options.idleTimeoutMs,
      onTimeout: (userId, sessionId) => {
        log.info({ event: "time-out", session: formatId("session", sessionId) }, "time-out");
        this.announceEnd(userId, sessionId, "timed-out");
      },
      onError: (error) => log.error({ err: error }, "an idle time-out was not stored"),
      clock: this.#clock,
    });
    this.#ended = new EndedSessions({
      accounts,
      everyMs: limits.sessionLookMs,
      sessions: () => new Map([...options.manager.connectedSessions(), ...this.#cache.takeUsed()]),
      onEnded: (userId, sessionId, why) => this.announceEnd(userId, sessionId, why),
      onValid: (sessionIds, time) => this.#cache.confirm(sessionIds, time),
      onError: (error) => log.error({ err: error }, "sessions were not checked"),
      clock: this.#clock,
    });
    this.#subscription = options.bus.subscribe("everyone", (message) => {
      if (message.kind === "session-ended") this.#forget(message.sessionId);
    });
    this.#sweeper = this.#clock.every(SWEEP_EVERY_MS, () => {
      this.sweep().catch((error: unknown) => options.log.error({ err: error }, "session sweep failed"));
    });
  }

  /** Starts the idle time-outs of the stored sessions. Call it once, before the first call is served. */
  async open(): Promise<void> {
    await this.#idle.start();
  }

  /** Resolves when the store has the times of the last commands. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweeper[Symbol.dispose]();
    this.#subscription[Symbol.dispose]();
    await this.#ended[Symbol.asyncDispose]();
    await this.#idle[Symbol.asyncDispose]();
  }

  /** @throws Refusal TOKEN_INVALID */
  async authenticate(token: string): Promise<ActiveSession> {
    if (Buffer.byteLength(token) > limits.secretBytes) throw new Refusal(Reason.TOKEN_INVALID);
    const hash = hashSecret(token);
    const key = hash.toString("base64");
    const now = this.#clock.now();
    let session = this.#cache.get(key, now);
    if (session === undefined) {
      const generation = this.#generation;
      const readAt = this.#clock.monotonic();
      const row = await this.#options.accounts.sessionByToken(hash, now);
      if (row === undefined) throw new Refusal(Reason.TOKEN_INVALID);
      const { sessionId } = row;
      session = {
        row,
        bucket: this.#bucketOf(sessionId),
        reportActivity: () => {
          if (!row.isBot) this.#idle.active(row.user, sessionId);
        },
      };
      // A session that ended during the read must not be cached as active.
      if (generation === this.#generation) this.#cache.add(key, session, readAt);
    }
    await this.#touch(session.row, now);
    return session;
  }

  /** A user's live sessions with session ids below `before`, newest first, at most `count`. */
  async list(userId: number, before: number, count: number): Promise<ListedSession[]> {
    const { accounts, presence, lease, manager } = this.#options;
    const now = this.#clock.now();
    const rows = await accounts.listSessions(userId, before, count, now);
    const away = rows.map(({ sessionId }) => sessionId).filter((id) => !manager.isConnected(id));
    const elsewhere = new Set(await presence.connectedElsewhere(lease.epoch, away, now));
    return rows.map((row) => ({
      ...row,
      isConnected: manager.isConnected(row.sessionId) || elsewhere.has(row.sessionId),
    }));
  }

  /** Ends one of the user's sessions, with its streams. @throws Refusal SESSION_NOT_FOUND */
  async end(userId: number, sessionId: number | undefined): Promise<void> {
    if (sessionId === undefined || !(await this.#options.accounts.endSession(userId, sessionId))) {
      throw new Refusal(Reason.SESSION_NOT_FOUND, { field: "session_id" });
    }
    this.announceEnd(userId, sessionId);
  }

  /** Ends, on every node, the streams of a session that has already ended in the store. */
  announceEnd(userId: number, sessionId: number, why: SessionEndedMessage["why"] = "ended"): void {
    this.#options.bus.publish("everyone", { kind: "session-ended", why, userId, sessionId });
  }

  /**
   * Empties the cache, and ends the streams of sessions that the store no longer has. Runs every minute, and whenever
   * users were changed.
   */
  async sweep(): Promise<void> {
    const { accounts, manager, sessionLifetimeMs } = this.#options;
    this.#generation++;
    this.#cache.clear();
    await this.#ended.look();
    await this.#idle.readNew();
    const now = this.#clock.now();
    for (const sessionId of manager.connectedSessions().keys()) {
      if (now - (this.#touched.get(sessionId) ?? 0) > TOUCH_EVERY_MS) {
        this.#touched.set(sessionId, now);
        await accounts.touchSession(sessionId, now, now + sessionLifetimeMs);
      }
    }
  }

  /**
   * Starts a session for a user whose password was checked.
   * @throws Refusal DEVICE_INVALID; CREDENTIALS_WRONG if the password was changed meanwhile; ACCOUNT_DISABLED;
   * TOO_MANY_SESSIONS
   */
  async start({ user, passwordHash, device, client, address, mostOnline }: SessionStart): Promise<Grant> {
    const isKnown = device !== undefined && device.deviceId !== "";
    const deviceId = isKnown ? parseId("device", device.deviceId) : undefined;
    if (isKnown && deviceId === undefined)
      throw new Refusal(Reason.DEVICE_INVALID, { field: "device.device_id" });
    const secret = isKnown ? { secret: "", hash: hashSecret(device.deviceSecret) } : newSecret();
    const token = newSecret();
    const time = this.#clock.now();
    const expireTime = time + this.#options.sessionLifetimeMs;
    const result = await this.#options.accounts.startSession({
      userId: user.userId,
      passwordHash,
      deviceId,
      deviceSecretHash: secret.hash,
      tokenHash: token.hash,
      client,
      address,
      time,
      expireTime,
      mostOnline,
    });
    if (mostOnline !== undefined && result.status === "too-many-sessions")
      throw tooManySessions(mostOnline.sessions);
    if (result.status === "device-invalid") throw new Refusal(Reason.DEVICE_INVALID, { field: "device" });
    if (result.status === "password-changed") throw new Refusal(Reason.CREDENTIALS_WRONG);
    if (result.status === "disabled") throw new Refusal(Reason.ACCOUNT_DISABLED);
    if (result.status !== "started") throw new Error("the store refused a session that has no bound");
    this.#idle.begin(user, result.sessionId, time);
    return {
      token: token.secret,
      expireTime: new Date(expireTime),
      sessionId: formatId("session", result.sessionId),
      user: toUser(user),
      device: { deviceId: formatId("device", result.deviceId), deviceSecret: secret.secret },
      serverId: this.#options.serverId,
    };
  }

  async #touch(row: SessionRow, now: number): Promise<void> {
    const last = this.#touched.get(row.sessionId) ?? row.lastUsedTime;
    if (now - last <= TOUCH_EVERY_MS) return;
    this.#touched.set(row.sessionId, now);
    await this.#options.accounts.touchSession(row.sessionId, now, now + this.#options.sessionLifetimeMs);
  }

  /** The bucket that all calls and streams of the session share. */
  #bucketOf(sessionId: number): TokenBucket {
    let bucket = this.#buckets.get(sessionId);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options.callRate, undefined, this.#clock);
      this.#buckets.set(sessionId, bucket);
    }
    return bucket;
  }

  #forget(sessionId: number): void {
    this.#generation++;
    this.#idle.end(sessionId);
    this.#touched.delete(sessionId);
    this.#buckets.delete(sessionId);
    this.#cache.delete(sessionId);
  }
}

/** The refusal of a session that exceeds the number that may be online. */
export function tooManySessions(most: number): Refusal {
  const facts = { maximum: most };
  if (most > 1) return new Refusal(Reason.TOO_MANY_SESSIONS, { facts });
  return new Refusal(Reason.TOO_MANY_SESSIONS, {
    facts,
    message: "You are logged in already. Log out of the other session first.",
  });
}
