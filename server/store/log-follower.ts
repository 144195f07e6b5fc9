// Follows the log of a store that several processes may write to. It MUST:
//  1. announce every entry once, in the order of the positions, without a gap: a group that does not continue the last one
//     waits until what is missing was read;
//  2. keep no group while it is behind, since it can read them again;
//  3. never read at the same time for two callers.
import type { CommittedGroup, Follower, Following } from "./store.ts";

/** Reads the next entries after a position; undefined if there are none. */
export type ReadSince = (position: number) => Promise<CommittedGroup | undefined>;

/** How much is read at once. */
export const READ_ENTRIES = 1_000;
export const READ_BYTES = 1024 * 1024;

export class LogFollower implements Following {
  readonly #since: ReadSince;
  readonly #follower: Follower;
  readonly #onDisposed: ((follower: LogFollower) => void) | undefined;
  #position: number;
  /** The newest position that is known to be committed. */
  #end: number;
  /** Set while the log is read. Own commits that continue it are announced all the same. */
  #reading: Promise<void> | undefined;
  /** Set while the last group is being taken. */
  #taking: Promise<void> | undefined;
  /** Whether a look was asked for after the last read had begun. */
  #isAsked = false;
  #isDisposed = false;

  /** @param position the position up to which the follower needs nothing */
  constructor(
    position: number,
    since: ReadSince,
    follower: Follower,
    onDisposed?: (follower: LogFollower) => void,
  ) {
    this.#position = position;
    this.#end = position;
    this.#since = since;
    this.#follower = follower;
    this.#onDisposed = onDisposed;
  }

  get position(): number {
    return this.#position;
  }

  /** Takes a group that was committed by this process. Announces it before it returns, unless the follower is behind. */
  take(group: CommittedGroup): void {
    if (this.#isDisposed || group.to <= this.#end) return;
    this.#end = group.to;
    if (this.#taking === undefined && group.from === this.#position + 1) this.#announce(group);
    // A failed read is repeated by the next look, which reports its failure.
    else this.#read().catch(() => undefined);
  }

  async look(): Promise<void> {
    this.#isAsked = true;
    await this.#read();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#onDisposed?.(this);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      while (!this.#isDisposed && (this.#isAsked || this.#position < this.#end)) {
        this.#isAsked = false;
        for (;;) {
          await this.#taking;
          const position = this.#position;
          const group = await this.#since(position);
          if (group === undefined || this.#isDisposed) break;
          // An own commit was announced meanwhile. It continued the log, so nothing was missing before it.
          if (this.#position !== position) break;
          this.#announce(group);
        }
      }
    } finally {
      this.#reading = undefined;
    }
  }

  #announce(group: CommittedGroup): void {
    this.#position = group.to;
    this.#end = Math.max(this.#end, group.to);
    this.#taking = this.#follower(group)?.then(() => {
      this.#taking = undefined;
    });
  }
}
