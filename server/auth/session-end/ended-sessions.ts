// Finds the sessions that have ended without this node being told: a message of the bus may be lost, and sessions expire.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { AccountStore, EndedSession } from "../../store/store.ts";

export interface EndedSessionsOptions {
  readonly accounts: Pick<AccountStore, "endedSessions">;
  readonly everyMs: number;
  /** The sessions that matter on this node now: user id by session id. */
  readonly sessions: () => ReadonlyMap<number, number>;
  readonly onEnded: (userId: number, sessionId: number, why: EndedSession["why"]) => void;
  /** Called with the sessions that had not ended at this time of the monotonic clock. */
  readonly onValid: (sessionIds: Iterable<number>, time: number) => void;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

export class EndedSessions implements AsyncDisposable {
  readonly #options: EndedSessionsOptions;
  readonly #timer: Timer;
  #running: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: EndedSessionsOptions) {
    this.#options = options;
    this.#timer = options.clock.every(options.everyMs, () => {
      this.#running ??= this.look()
        .then(
          () => {
            this.#hasFailed = false;
          },
          (error: unknown) => {
            // A store that fails for long is reported once.
            if (!this.#hasFailed) options.onError(error);
            this.#hasFailed = true;
          },
        )
        .finally(() => {
          this.#running = undefined;
        });
    });
  }

  /** Asks the store once about all sessions. */
  async look(): Promise<void> {
    const { accounts, clock, sessions, onEnded, onValid } = this.#options;
    const asked = new Map(sessions());
    if (asked.size === 0) return;
    const time = clock.monotonic();
    for (const { sessionId, why } of await accounts.endedSessions([...asked.keys()], clock.now())) {
      const userId = asked.get(sessionId);
      asked.delete(sessionId);
      if (userId !== undefined) onEnded(userId, sessionId, why);
    }
    onValid(asked.keys(), time);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    await this.#running;
  }
}
