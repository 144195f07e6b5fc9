// Publishes which users came online and went offline: changes of a short time together, and each user's only to readers
// whom that user does not block.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { Bus, PresenceMessage } from "../../bus/bus.ts";
import { limits } from "../../limits.ts";
import type { BlockStore, UserRow } from "../../store/store.ts";

export interface PresenceChangesOptions {
  readonly blocks: Pick<BlockStore, "blockedBy" | "isBlocking">;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Whether the store has the user as online. */
  readonly isOnline: (userId: number) => Promise<boolean>;
}

interface Change {
  readonly row: UserRow;
  readonly online: boolean;
}

/** A block that began or ended. */
interface BlockChange {
  readonly blocker: UserRow;
  readonly readerId: number;
}

const noOne: PresenceMessage["hidden"] = new Map();

export class PresenceChanges implements AsyncDisposable {
  readonly #options: PresenceChangesOptions;
  /** By user: the newest change that is not published yet. */
  readonly #changes = new Map<number, Change>();
  /** Blocks whose effect could not be published yet, by blocker and reader. */
  readonly #blockChanges = new Map<string, BlockChange>();
  #timer: Timer | undefined;
  #isDisposed = false;
  /** Resolves when the last message is published. Messages are published one after another, in the order of the changes. */
  #published: Promise<void> = Promise.resolve();

  constructor(options: PresenceChangesOptions) {
    this.#options = options;
  }

  /**
   * Schedules the change to be published, even if it undoes one that is not published yet: a client may have read the
   * state in between, in Welcome or ListUsers.
   */
  changed(row: UserRow, online: boolean): void {
    this.#changes.set(row.userId, { row, online });
    this.#publishWithin(limits.presenceJoinMs);
  }

  /**
   * Tells the reader at once what the reader may see of the blocker, after a block of these two was stored or removed: a
   * blocker is offline.
   */
  async blockChanged(blocker: UserRow, readerId: number): Promise<void> {
    // In the chain, so that no batch that was filtered before the block is published afterwards.
    this.#published = this.#published.then(() => this.#publishBlock({ blocker, readerId }));
    await this.#published;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#published;
  }

  #publishWithin(ms: number): void {
    // The server stops: intervals that are closed last still change presence, but no stream is left.
    if (this.#isDisposed) return;
    this.#timer ??= this.#options.clock.after(ms, () => this.#publishAll());
  }

  #publishAll(): void {
    this.#timer = undefined;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    for (let at = 0; at < changes.length; at += limits.presencePerEvent) {
      const some = changes.slice(at, at + limits.presencePerEvent);
      this.#published = this.#published.then(() => this.#publish(some));
    }
    const blocks = [...this.#blockChanges.values()];
    this.#blockChanges.clear();
    for (const block of blocks) this.#published = this.#published.then(() => this.#publishBlock(block));
  }

  /** Never rejects. */
  async #publish(changes: readonly Change[]): Promise<void> {
    const { blocks, bus, onError } = this.#options;
    try {
      const hidden = hiddenFrom(await blocks.blockedBy(changes.map(({ row }) => row.userId)));
      bus.publish("everyone", {
        kind: "presence",
        cameOnline: changes.filter((change) => change.online).map((change) => change.row),
        wentOffline: changes.filter((change) => !change.online).map((change) => change.row),
        hidden,
      });
    } catch (error) {
      onError(error);
      // The changes are published with the next change or after a while, when the store may be available again.
      for (const change of changes) {
        if (!this.#changes.has(change.row.userId)) this.#changes.set(change.row.userId, change);
      }
      this.#publishWithin(limits.leaseRenewalMs);
    }
  }

  /** Never rejects. Publishes the present state, so that the order of several changes does not matter. */
  async #publishBlock(block: BlockChange): Promise<void> {
    const { blocks, bus, onError, isOnline } = this.#options;
    const { blocker, readerId } = block;
    try {
      const isHidden = await blocks.isBlocking(blocker.userId, readerId);
      // If the reader knows the blocker as offline, an event would only reveal that a block began or ended.
      if (!(await isOnline(blocker.userId)) && !this.#changes.has(blocker.userId)) return;
      const [cameOnline, wentOffline] = isHidden ? [[], [blocker]] : [[blocker], []];
      bus.publish(`user:${readerId}`, { kind: "presence", cameOnline, wentOffline, hidden: noOne });
    } catch (error) {
      onError(error);
      this.#blockChanges.set(`${blocker.userId}:${readerId}`, block);
      this.#publishWithin(limits.leaseRenewalMs);
    }
  }
}

/**
 * Converts pairs of blocker and blocked user to a map: by reader, the users whose presence is hidden from that reader.
 */
function hiddenFrom(pairs: readonly (readonly [number, number])[]): Map<number, Set<number>> {
  const hidden = new Map<number, Set<number>>();
  for (const [blockerId, blockedId] of pairs) {
    const blockers = hidden.get(blockedId) ?? new Set();
    blockers.add(blockerId);
    hidden.set(blockedId, blockers);
  }
  return hidden;
}
