// Who is online, and telling it calmly: what changes within a moment is one line, and a return within it is none.
import type { User } from "../../../../gen/parley/chat/v1/user.ts";
import type { Clock } from "../model/clock.ts";

/** After a connection came back, others come back too: what changes within this is told at its end, ms. */
const SETTLE_MS = 12_000;

export interface OnlineUsersOptions {
  readonly clock: Clock;
  /** The own user name: the others are what is told of. */
  readonly me: string;
  /** Changes within this time are told together, ms; 0: each at once. */
  readonly joinMs: number;
  told(change: { came: string[]; went: string[] }): void;
}

export class OnlineUsers implements Disposable {
  readonly #options: OnlineUsersOptions;
  #online = new Map<string, string>();
  /** What the person was told, by user id. */
  #told = new Map<string, string>();
  #timer: Disposable | undefined;
  #met = false;
  /** Everyone heard of in this run. */
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

  /** A stream opened and says who is online. The first time nobody is told: the greeting does it. */
  met(users: Iterable<User>): void {
    this.#online = new Map();
    for (const user of users) this.#add(user);
    if (this.#met) {
      this.#tellAfter(SETTLE_MS);
      return;
    }
    this.#met = true;
    this.#told = new Map(this.#online);
  }

  changed(came: readonly User[], went: readonly User[]): void {
    for (const user of came) this.#add(user);
    for (const { userId } of went) this.#online.delete(userId);
    if (this.#timer !== undefined) return;
    if (this.#options.joinMs === 0) this.#tell();
    else this.#tellAfter(this.#options.joinMs);
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

  #tellAfter(ms: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    const came = [...this.#online].filter(([id]) => !this.#told.has(id)).map(([, name]) => name);
    const went = [...this.#told].filter(([id]) => !this.#online.has(id)).map(([, name]) => name);
    this.#told = new Map(this.#online);
    if (came.length + went.length > 0) this.#options.told({ came: came.sort(), went: went.sort() });
  }
}
