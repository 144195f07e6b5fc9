// Which devices take introductions: those with a stream whose Hello says so.

export interface Taker {
  readonly userId: number;
  readonly sessionId: number;
  readonly deviceId: number;
}

export class Takers {
  readonly #byUser = new Map<number, Set<Taker>>();

  /** The device takes introductions until the result is disposed of; once for each of its streams. */
  enter(taker: Taker): Disposable {
    const entered = { ...taker };
    const ofUser = this.#byUser.get(taker.userId) ?? new Set();
    ofUser.add(entered);
    this.#byUser.set(taker.userId, ofUser);
    return {
      [Symbol.dispose]: () => {
        ofUser.delete(entered);
        if (ofUser.size === 0 && this.#byUser.get(taker.userId) === ofUser) this.#byUser.delete(taker.userId);
      },
    };
  }

  /** One for each stream. */
  of(userId: number): ReadonlySet<Taker> {
    return this.#byUser.get(userId) ?? new Set();
  }
}
