// The sessions whose tokens were used lately, so that a call reads nothing from the store. A session is trusted only for a
// short while after the store was asked about it, because another node may end it.
import { LRUCache } from "lru-cache";
import type { Clock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import type { SessionRow } from "../store/store.ts";

interface WithRow {
  readonly row: SessionRow;
}

interface Cached<Session> {
  readonly session: Session;
  /** When the store last said that the session had not ended, in ms of the monotonic clock. */
  confirmedAt: number;
}

export class SessionCache<Session extends WithRow> {
  readonly #clock: Clock;
  /** By the hash of the token, in base64. */
  readonly #byToken = new LRUCache<string, Cached<Session>>({
    max: limits.cachedSessions,
    dispose: ({ session }) => this.#tokens.delete(session.row.sessionId),
  });
  /** The key of each cached session, so that the end of a session needs no search of the cache. */
  readonly #tokens = new Map<number, string>();
  /** The sessions that were used since the last call of `takeUsed`: user id by session id. */
  #used = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The session, if it is trusted and has not expired at this time. */
  get(token: string, now: number): Session | undefined {
    const cached = this.#byToken.get(token);
    if (cached === undefined || cached.session.row.expireTime <= now) return undefined;
    if (this.#clock.monotonic() - cached.confirmedAt > limits.tokenTrustedMs) return undefined;
    this.#use(cached.session);
    return cached.session;
  }

  /** @param readAt when the store was asked, in ms of the monotonic clock */
  add(token: string, session: Session, readAt: number): void {
    this.#byToken.set(token, { session, confirmedAt: readAt });
    // Add the key only after `set`, which deletes the key of each session that it replaces or evicts, and may replace
    // this one.
    this.#tokens.set(session.row.sessionId, token);
    this.#use(session);
  }

  /** The sessions that were used since the last call, about which the store should be asked: user id by session id. */
  takeUsed(): Map<number, number> {
    const used = this.#used;
    this.#used = new Map();
    return used;
  }

  /** Trusts the sessions that had not ended when the store was asked at this time of the monotonic clock. */
  confirm(sessionIds: Iterable<number>, askedAt: number): void {
    for (const sessionId of sessionIds) {
      const cached = this.#byToken.peek(this.#tokens.get(sessionId) ?? "");
      if (cached !== undefined) cached.confirmedAt = Math.max(cached.confirmedAt, askedAt);
    }
  }

  delete(sessionId: number): void {
    const token = this.#tokens.get(sessionId);
    if (token !== undefined) this.#byToken.delete(token);
  }

  clear(): void {
    this.#byToken.clear();
  }

  #use({ row }: WithRow): void {
    this.#used.set(row.sessionId, row.user.userId);
  }
}
