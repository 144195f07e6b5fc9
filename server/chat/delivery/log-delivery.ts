// Follows the log, and delivers each committed entry to the streams on this node. An entry is encoded once for all its
// readers. The bus only says that there is something to read.
import type { Clock, Timer } from "../../../time/clock.ts";
import { delay } from "../../../time/wait.ts";
import type { NodeBus } from "../../bus/node-bus.ts";
import type { ClientManager, EntryMessage } from "../../client-manager.ts";
import type { CommittedEntry, CommittedGroup, Following, LogStore, UserRow } from "../../store/store.ts";
import { type EntryUsers, encodeAck, encodeEntryAppended } from "../encoding.ts";
import type { UserCache } from "../user-cache.ts";
import type { WaitingSends } from "./waiting-sends.ts";

export interface LogDeliveryParts {
  readonly log: Pick<LogStore, "follow">;
  readonly bus: NodeBus;
  readonly manager: Pick<ClientManager, "deliver" | "deliverToAll">;
  readonly users: UserCache;
  readonly waiting: WaitingSends;
  readonly clock: Clock;
  /** Receives failures of the store. What could not be read is read again. */
  readonly onError: (error: unknown) => void;
}

/** How often a node looks for commits of others without being told, ms: a message of the bus may be lost. */
const LOOK_EVERY_MS = 1_000;

const noUsers: ReadonlySet<number> = new Set();

export class LogDelivery implements Disposable {
  readonly #parts: LogDeliveryParts;
  readonly #stop = new AbortController();
  #following: Following | undefined;
  #subscription: Disposable | undefined;
  #timer: Timer | undefined;
  #broadcastHead = 0;

  private constructor(parts: LogDeliveryParts) {
    this.#parts = parts;
  }

  /** Resolves when each entry that is committed from then on will be delivered. */
  static async start(parts: LogDeliveryParts): Promise<LogDelivery> {
    const delivery = new LogDelivery(parts);
    const { log, bus, clock } = parts;
    const following = await log.follow((group) => delivery.#take(group));
    delivery.#following = following;
    delivery.#subscription = bus.subscribe("everyone", (message) => {
      if (message.kind === "look" && message.position > following.position) delivery.#look(following);
    });
    delivery.#timer = clock.every(LOOK_EVERY_MS, () => delivery.#look(following));
    return delivery;
  }

  /** The seq of the newest broadcast that was delivered; 0 if there was none. */
  get broadcastHead(): number {
    return this.#broadcastHead;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#timer?.[Symbol.dispose]();
    this.#subscription?.[Symbol.dispose]();
    this.#following?.[Symbol.dispose]();
  }

  #look(following: Following): void {
    following.look().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#parts.onError(error);
    });
  }

  /** Delivers the group now, unless it names a user who must be read first. */
  #take({ entries, to }: CommittedGroup): void | Promise<void> {
    const { waiting, users, bus } = this.#parts;
    const cached = (userId: number): UserRow | undefined => users.cached(userId);
    let isOwn = false;
    let later: Promise<void> | undefined;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index] as CommittedEntry;
      // A send that waits here may be the repeat of one that another node has stored.
      const send = entry.isOwn ? waiting.take(entry.deviceId, entry.clientMessageId) : undefined;
      if (entry.isOwn) isOwn = true;
      const named = send ?? usersOf(entry, cached);
      if (named === undefined) {
        later = this.#deliverLater(entries.slice(index));
        break;
      }
      this.#deliver(entry, named, send?.stream);
    }
    if (isOwn) bus.publish("everyone", { kind: "look", position: to });
    return later;
  }

  /** Reads the users first. Repeats that until the store can be read. Never rejects. */
  async #deliverLater(entries: readonly CommittedEntry[]): Promise<void> {
    const { waiting, users, onError } = this.#parts;
    const ids = new Set(entries.flatMap(({ senderId, recipientId = senderId }) => [senderId, recipientId]));
    let rows: ReadonlyMap<number, UserRow> | undefined;
    while (rows === undefined) {
      try {
        rows = await users.byIds(ids);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        onError(error);
        await delay(LOOK_EVERY_MS, this.#stop.signal);
      }
      if (this.#stop.signal.aborted) return;
    }
    for (const entry of entries) {
      const send = entry.isOwn ? waiting.take(entry.deviceId, entry.clientMessageId) : undefined;
      const named = usersOf(entry, (userId) => rows.get(userId));
      // The row of a user is never deleted, so this is damage, and readers find the entry missing.
      if (named === undefined)
        onError(new Error(`entry ${entry.seq} of conversation ${entry.conversationId} names no user`));
      else this.#deliver(entry, named, send?.stream);
    }
  }

  #deliver(entry: CommittedEntry, users: EntryUsers, stream: object | undefined): void {
    const { manager } = this.#parts;
    const { conversationId, seq } = entry;
    const message: EntryMessage = {
      kind: "entry",
      conversationId,
      seq,
      piece: encodeEntryAppended(entry, users),
      hiddenFrom: entry.hiddenFrom.length === 0 ? noUsers : new Set(entry.hiddenFrom),
      ackStream: stream,
      ack: stream === undefined ? undefined : encodeAck(entry),
    };
    switch (entry.kind) {
      case "broadcast":
        this.#broadcastHead = seq;
        manager.deliverToAll(message);
        return;
      case "direct":
        manager.deliver(entry.senderId, message);
        if (entry.recipientId !== undefined) manager.deliver(entry.recipientId, message);
    }
  }
}

/** The users that the entry names; undefined if one of them is not found. */
function usersOf(
  { senderId, recipientId }: CommittedEntry,
  find: (userId: number) => UserRow | undefined,
): EntryUsers | undefined {
  const sender = find(senderId);
  const recipient = recipientId === undefined ? undefined : find(recipientId);
  if (sender === undefined || (recipientId !== undefined && recipient === undefined)) return undefined;
  return { sender, recipient };
}
