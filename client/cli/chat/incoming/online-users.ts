// Who is online. Changes are reported together after a delay, and a user who is back within it is not reported.
import type { User } from "../../../../gen/parley/chat/v1/user.ts";
import type { Clock } from "../../../../time/clock.ts";

/** After a reconnect other users reconnect too: changes within this time are reported at its end, ms. */
const SETTLE_MS = 12_000;

export interface OnlineUsersOptions {
  readonly clock: Clock;
  /** The user's own name, which is never reported. */
  readonly me: string;
  /** Changes within this time are reported together, ms; 0: each is reported immediately. */
  readonly joinMs: number;
  onChange(change: { came: string[]; went: string[] }): void;
}

export class OnlineUsers implements Disposable {
  readonly #options: OnlineUsersOptions;
  #online = new Map<string, string>();
  /** The users who were online at the last report, by user id. */
  #reported = new Map<string, string>();
  #timer: Disposable | undefined;
  #isInitialized = false;
  /** Names of all users seen online in this run. */
  readonly #known = new Set<string>();

  constructor(options: OnlineUsersOptions) {
    this.#options = options;
  }

  /** Names of those online, sorted. */
  get online(): string[] {
    return [...this.#online.values()].sort();
  }

  /** Names for completion. */
  get known(): ReadonlySet<string> {
    return this.#known;
  }

  isOnline(username: string): boolean {
    return this.#online.values().some((name) => name === username);
  }

  /** A stream opened with these users online. The first call reports nothing, as the greeting lists them. */
  initialize(users: Iterable<User>): void {
    this.#online = new Map();
    for (const user of users) this.#add(user);
    if (this.#isInitialized) {
      this.#reportAfter(SETTLE_MS);
      return;
    }
    this.#isInitialized = true;
    this.#reported = new Map(this.#online);
  }

  changed(came: readonly User[], went: readonly User[]): void {
    for (const user of came) this.#add(user);
    for (const { userId } of went) this.#online.delete(userId);
    if (this.#timer !== undefined) return;
    if (this.#options.joinMs === 0) this.#report();
    else this.#reportAfter(this.#options.joinMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #add({ userId, username }: User): void {
    if (username === this.#options.me) return;
    this.#online.set(userId, username);
    this.#known.add(username);
  }

  #reportAfter(ms: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#report();
    });
  }

  #report(): void {
    const came = [...this.#online].filter(([id]) => !this.#reported.has(id)).map(([, name]) => name);
    const went = [...this.#reported].filter(([id]) => !this.#online.has(id)).map(([, name]) => name);
    this.#reported = new Map(this.#online);
    if (came.length + went.length > 0) this.#options.onChange({ came: came.sort(), went: went.sort() });
  }
}
