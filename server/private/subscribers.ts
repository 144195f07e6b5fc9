// The programs that receive introductions: those with a stream whose Hello asks for them.

/** Identifies a program. Several programs may share a device and a session. */
export interface Program {
  readonly sessionId: number;
  /** An id that the program chooses. All programs of a session that leave it empty count as one program. */
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

  /** Adds a stream of a program, until the result is disposed of. */
  add(subscriber: Subscriber): Disposable {
    const added = { ...subscriber };
    const ofUser = this.#byUser.get(subscriber.userId) ?? new Set();
    ofUser.add(added);
    this.#byUser.set(subscriber.userId, ofUser);
    return {
      [Symbol.dispose]: () => {
        ofUser.delete(added);
        if (ofUser.size === 0 && this.#byUser.get(subscriber.userId) === ofUser)
          this.#byUser.delete(subscriber.userId);
      },
    };
  }

  /** The subscribed streams of a user, each as one element. */
  of(userId: number): ReadonlySet<Subscriber> {
    return this.#byUser.get(userId) ?? new Set();
  }

  /** Whether this program of the user has a subscribed stream. */
  has(userId: number, program: Program): boolean {
    const key = keyOfProgram(program);
    return [...this.of(userId)].some((subscriber) => keyOfProgram(subscriber) === key);
  }
}
