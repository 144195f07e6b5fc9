// Which programs take introductions: those with a stream whose Hello says so. Several may share one device and session.

/** A program, as the server tells it apart. */
export interface Program {
  readonly sessionId: number;
  /** Of its own making; those that leave it empty are one. */
  readonly processId: string;
}

export interface Subscriber extends Program {
  readonly userId: number;
  readonly deviceId: number;
}

export function keyOfProgram({ sessionId, processId }: Program): string {
  return `${sessionId}:${processId}`;
}

export class Subscribers {
  readonly #byUser = new Map<number, Set<Subscriber>>();

  /** The program takes introductions until the result is disposed of; once for each of its streams. */
  enter(subscriber: Subscriber): Disposable {
    const entered = { ...subscriber };
    const ofUser = this.#byUser.get(subscriber.userId) ?? new Set();
    ofUser.add(entered);
    this.#byUser.set(subscriber.userId, ofUser);
    return {
      [Symbol.dispose]: () => {
        ofUser.delete(entered);
        if (ofUser.size === 0 && this.#byUser.get(subscriber.userId) === ofUser)
          this.#byUser.delete(subscriber.userId);
      },
    };
  }

  /** One for each stream. */
  of(userId: number): ReadonlySet<Subscriber> {
    return this.#byUser.get(userId) ?? new Set();
  }

  /** Whether this program of the user takes introductions. */
  has(userId: number, program: Program): boolean {
    const key = keyOfProgram(program);
    return [...this.of(userId)].some((subscriber) => keyOfProgram(subscriber) === key);
  }
}
