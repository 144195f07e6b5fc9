// Bounds the answers of unary calls: the bytes that clients have not taken, the pages that are prepared at the same time,
// and the rate at which one session receives bytes. A call that does not fit waits for its turn. It MUST:
//  1. let a call wait before it reads anything, so that waiting costs no memory for its answer;
//  2. refuse a call if too many wait already, and forget a waiting call whose client has gone;
//  3. give the users turns, so that the calls of one user delay those of others by one page at most;
//  4. never let a page wait for small answers of others, or small answers for pages of others.
import { LRUCache } from "lru-cache";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { AnswerHold, CallContext } from "../../../rpc/calls/call-context.ts";
import type { Clock, Timer } from "../../../time/clock.ts";
import { TokenBucket } from "../../auth/token-bucket.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";

export interface AnswerBounds {
  /** Bytes that are prepared or reserved, and not taken yet: of a session, of a user, and of everyone. */
  readonly perSession: number;
  readonly perUser: number;
  readonly inAll: number;
  /** Pages that are prepared at the same time. */
  readonly preparing: number;
  /** Calls that wait: of a user, and of everyone. */
  readonly waitingPerUser: number;
  readonly waiting: number;
  /** Bytes of pages that a session may receive each second; it may receive those of two seconds at once. */
  readonly bytesPerSecond: number;
}

const defaultBounds: AnswerBounds = {
  perSession: limits.answersPerSession,
  perUser: limits.answersPerUser,
  inAll: limits.answersInAll,
  preparing: limits.pagesInPreparation,
  waitingPerUser: limits.waitingCallsPerUser,
  waiting: limits.waitingCalls,
  bytesPerSecond: limits.pageBytesPerSecond,
};

interface Caller {
  readonly userId: number;
  readonly sessionId: number;
}

interface Waiting extends Caller {
  /** The most bytes of the answer. */
  readonly most: number;
  readonly grant: () => void;
}

export class Answers implements Disposable {
  readonly #bounds: AnswerBounds;
  readonly #clock: Clock;
  readonly #ofSessions = new Map<number, number>();
  readonly #ofUsers = new Map<number, number>();
  #inAll = 0;
  #preparing = 0;
  /** By user: the calls that wait, oldest first. The user whose turn is next comes first. */
  readonly #queues = new Map<number, Waiting[]>();
  #waiting = 0;
  readonly #rates = new LRUCache<number, TokenBucket>({
    maxSize: limits.cachedSessions,
    sizeCalculation: () => 1,
  });
  #timer: Timer | undefined;

  constructor(clock: Clock, bounds: Partial<AnswerBounds> = {}) {
    this.#clock = clock;
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  /** The bytes that are reserved, or prepared and not taken. */
  get bytes(): number {
    return this.#inAll;
  }

  /** The number of calls that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  /**
   * Admits a call, and counts its answer until the client has taken it. Returns a promise if the call has to wait.
   * @param page whether the answer is a page of up to limits.pageBytes, instead of a small message
   * @throws Refusal RATE_LIMITED, OVERLOADED; CANCELLED if the call ends while it waits
   */
  admit(caller: Caller, page: boolean, call: CallContext): void | Promise<void> {
    const most = page ? limits.pageBytes : 0;
    if (this.#fits(caller, most)) {
      this.#hold(caller, most, call);
      return;
    }
    return this.#wait(caller, most, call);
  }

  #wait({ userId, sessionId }: Caller, most: number, call: CallContext): Promise<void> {
    const queue = this.#queues.get(userId) ?? [];
    if (queue.length >= this.#bounds.waitingPerUser) {
      throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: limits.overloadedRetryMs });
    }
    if (this.#waiting >= this.#bounds.waiting) {
      throw new Refusal(Reason.OVERLOADED, { retryDelayMs: limits.overloadedRetryMs });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = call;
    const waiting: Waiting = {
      userId,
      sessionId,
      most,
      grant: () => {
        signal.removeEventListener("abort", lost);
        this.#hold(waiting, most, call);
        resolve();
      },
    };
    const lost = (): void => {
      this.#leave(waiting);
      reject(new Refusal(Reason.CANCELLED));
    };
    if (signal.aborted) throw new Refusal(Reason.CANCELLED);
    signal.addEventListener("abort", lost, { once: true });
    queue.push(waiting);
    this.#queues.set(userId, queue);
    this.#waiting++;
    this.#serve();
    return promise;
  }

  #leave(waiting: Waiting): void {
    const queue = this.#queues.get(waiting.userId) ?? [];
    const index = queue.indexOf(waiting);
    if (index === -1) return;
    queue.splice(index, 1);
    this.#waiting--;
    if (queue.length === 0) this.#queues.delete(waiting.userId);
  }

  /** Grants waiting calls their turn, one for each user in rotation, until no call fits. */
  #serve(): void {
    for (let served = true; served; ) {
      served = false;
      for (const [userId, queue] of [...this.#queues]) {
        if (this.#preparing >= this.#bounds.preparing && queue.every(({ most }) => most > 0)) continue;
        const next = queue.find((waiting) => this.#fits(waiting, waiting.most));
        if (next === undefined) continue;
        this.#leave(next);
        // The user moves to the end of the rotation.
        if (this.#queues.delete(userId)) this.#queues.set(userId, queue);
        next.grant();
        served = true;
      }
    }
    this.#serveLater();
  }

  /** Serves again when the first session that exceeded its rate may receive bytes again. */
  #serveLater(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const waits = [...this.#queues.values()].flat().map(({ sessionId }) => this.#rateWait(sessionId));
    const shortest = Math.min(...waits.filter((wait) => wait > 0));
    if (Number.isFinite(shortest)) this.#timer = this.#clock.after(shortest, () => this.#serve());
  }

  #fits({ userId, sessionId }: Caller, most: number): boolean {
    const { perSession, perUser, inAll, preparing } = this.#bounds;
    const ofSession = this.#ofSessions.get(sessionId) ?? 0;
    const ofUser = this.#ofUsers.get(userId) ?? 0;
    if (most === 0) return ofSession < perSession && ofUser < perUser;
    return (
      ofSession + most <= perSession &&
      ofUser + most <= perUser &&
      this.#inAll + most <= inAll &&
      this.#preparing < preparing &&
      this.#rateWait(sessionId) === 0
    );
  }

  #rateWait(sessionId: number): number {
    return this.#rates.get(sessionId)?.take(0) ?? 0;
  }

  #hold(caller: Caller, most: number, call: CallContext): void {
    let counted = 0;
    let preparing = most > 0;
    const count = (bytes: number): void => {
      this.#add(caller, bytes - counted);
      counted = bytes;
    };
    const prepared = (): void => {
      if (preparing) this.#preparing--;
      preparing = false;
    };
    if (preparing) this.#preparing++;
    count(most);
    const hold: AnswerHold = {
      prepared: (bytes, sentBytes) => {
        if (most > 0) this.#charge(caller.sessionId, bytes);
        prepared();
        count(sentBytes + limits.answerOverhead);
        if (this.#waiting > 0) this.#serve();
      },
      [Symbol.dispose]: () => {
        prepared();
        count(0);
        if (this.#waiting > 0) this.#serve();
      },
    };
    call.holdAnswer(hold, most > 0);
  }

  #charge(sessionId: number, bytes: number): void {
    let rate = this.#rates.get(sessionId);
    if (rate === undefined) {
      rate = new TokenBucket(this.#bounds.bytesPerSecond, undefined, this.#clock);
      this.#rates.set(sessionId, rate);
    }
    rate.charge(bytes);
  }

  #add({ userId, sessionId }: Caller, bytes: number): void {
    this.#inAll += bytes;
    add(this.#ofSessions, sessionId, bytes);
    add(this.#ofUsers, userId, bytes);
  }
}

function add(counts: Map<number, number>, key: number, bytes: number): void {
  const sum = (counts.get(key) ?? 0) + bytes;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
