// Tells the streams of this node which users came online and went offline on any node. The store has the changes: the bus
// only says that there are new ones, and a node looks by itself once a second, in case a message of the bus was lost.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { NodeBus } from "../../bus/node-bus.ts";
import type { ClientManager, PresenceMessage } from "../../client-manager.ts";
import { limits } from "../../limits.ts";
import type { PresenceChange, PresenceStore } from "../../store/store.ts";

export interface PresenceChangesOptions {
  readonly store: Pick<PresenceStore, "changes" | "lastChange">;
  readonly bus: NodeBus;
  readonly manager: Pick<ClientManager, "deliver" | "deliverToAll">;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

const noOne: PresenceMessage["hidden"] = new Map();

export class PresenceChanges implements AsyncDisposable {
  readonly #options: PresenceChangesOptions;
  readonly #subscription: Disposable;
  /** The number of the newest change that was delivered. */
  #last = 0;
  #every: Timer | undefined;
  /** Runs while changes are collected. */
  #collecting: Timer | undefined;
  /** Resolves when the last look is over. Looks run one after another. */
  #looked: Promise<void> = Promise.resolve();
  /** A look that has not begun, and so will find what is stored now. */
  #next: Promise<void> | undefined;
  #hasFailed = false;
  #isDisposed = false;

  constructor(options: PresenceChangesOptions) {
    this.#options = options;
    this.#subscription = options.bus.subscribe("everyone", (message) => {
      if (message.kind === "presence-changed") void this.#look();
    });
  }

  /** From now on, changes are delivered. */
  async start(): Promise<void> {
    const { store, clock } = this.#options;
    this.#last = await store.lastChange();
    this.#every = clock.every(limits.lookMs, () => void this.#look());
  }

  /** Call it when the store has a change. It is delivered together with those of the same short time. */
  changed(): void {
    if (this.#isDisposed) return;
    const { bus, clock } = this.#options;
    this.#collecting ??= clock.after(limits.presenceJoinMs, () => {
      this.#collecting = undefined;
      bus.publish("everyone", { kind: "presence-changed" });
      void this.#look();
    });
  }

  /** Delivers the changes that the store has, without waiting for others. Resolves when this node has delivered them. */
  async deliverNow(): Promise<void> {
    if (this.#isDisposed) return;
    this.#options.bus.publish("everyone", { kind: "presence-changed" });
    await this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#subscription[Symbol.dispose]();
    this.#every?.[Symbol.dispose]();
    if (this.#collecting !== undefined) {
      this.#collecting[Symbol.dispose]();
      this.#options.bus.publish("everyone", { kind: "presence-changed" });
    }
    await this.#looked;
  }

  /** Never rejects. */
  #look(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = this.#looked.then(() => {
        this.#next = undefined;
        return this.#isDisposed ? undefined : this.#deliverAll();
      });
      this.#looked = this.#next;
    }
    return this.#next;
  }

  /** Never rejects. What fails is delivered by a later look. */
  async #deliverAll(): Promise<void> {
    const { store, onError } = this.#options;
    const changed = new Set<number>();
    try {
      for (let isMore = true; isMore; ) {
        const changes = await store.changes(this.#last, limits.presencePerEvent);
        this.#deliver(changes, changed);
        this.#last = changes.at(-1)?.number ?? this.#last;
        isMore = changes.length === limits.presencePerEvent;
      }
      this.#hasFailed = false;
    } catch (error) {
      // Once a second is too often to repeat the same error.
      if (!this.#hasFailed) onError(error);
      this.#hasFailed = true;
    }
  }

  /** @param changed the users whose presence has changed for everyone, in this look */
  #deliver(changes: readonly PresenceChange[], changed: Set<number>): void {
    const { manager } = this.#options;
    const forAll = changes.filter(({ readerId }) => readerId === undefined);
    for (const { user } of forAll) changed.add(user.userId);
    if (forAll.length > 0) {
      manager.deliverToAll({
        kind: "presence",
        cameOnline: forAll.filter(({ online }) => online).map(({ user }) => user),
        wentOffline: forAll.filter(({ online }) => !online).map(({ user }) => user),
        hidden: hiddenFrom(forAll),
      });
    }
    for (const { user, readerId, online, blocked } of changes) {
      // If the reader knows the blocker as offline, an event would only reveal that a block began or ended.
      if (readerId === undefined || !(online || changed.has(user.userId))) continue;
      const [cameOnline, wentOffline] = online && blocked.length === 0 ? [[user], []] : [[], [user]];
      manager.deliver(readerId, { kind: "presence", cameOnline, wentOffline, hidden: noOne });
    }
  }
}

/** By reader: the users who block that reader. */
function hiddenFrom(changes: readonly PresenceChange[]): Map<number, Set<number>> {
  const hidden = new Map<number, Set<number>>();
  for (const { user, blocked } of changes) {
    for (const readerId of blocked) {
      const blockers = hidden.get(readerId) ?? new Set();
      hidden.set(readerId, blockers.add(user.userId));
    }
  }
  return hidden;
}
