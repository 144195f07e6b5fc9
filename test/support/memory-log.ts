// A small log in memory that several processes could share, as the reference of what two stores on one database promise. It
// has direct conversations only, whose users all exist.
import { setImmediate as turn } from "node:timers/promises";
import { LogFollower } from "../../server/store/log-follower.ts";
import type {
  AppendResult,
  CommittedEntry,
  CommittedGroup,
  LogStore,
  NewEntry,
} from "../../server/store/store.ts";

/** What the contract of two handles uses. */
export type HandleLog = Pick<LogStore, "append" | "follow" | "since" | "entries">;

type Stored = Omit<CommittedEntry, "isOwn"> & { readonly owner: object };

export class MemoryLog {
  /** The entry with position n is at index n - 1. */
  readonly #entries: Stored[] = [];
  readonly #conversations = new Map<string, { readonly id: number; head: number }>();
  readonly #bySend = new Map<string, Stored>();
  /** Commits run one after another. */
  #lock: Promise<unknown> = Promise.resolve();

  /** The log as one process sees it. */
  handle(): HandleLog {
    const owner = {};
    const followers = new Set<LogFollower>();
    const since: LogStore["since"] = async (position, limit, maxBytes) => {
      await turn();
      return this.#since(owner, position, limit, maxBytes);
    };
    let waiting: { entry: NewEntry; resolve: (result: AppendResult) => void }[] = [];
    const commit = async (): Promise<void> => {
      const group = waiting;
      waiting = [];
      const results = await this.#commit(async () => {
        // The other handle may have its turn here, and waits for the lock.
        await turn();
        return group.map(({ entry }) => this.#append(entry, owner));
      });
      const stored = results.flatMap(({ position }) => position ?? []);
      const [from, to] = [stored[0], stored.at(-1)];
      if (from !== undefined && to !== undefined) {
        const own = this.#since(owner, from - 1, to - from + 1, Number.POSITIVE_INFINITY);
        for (const follower of followers) if (own !== undefined) follower.take(own);
        for (const follower of followers) if (follower.position < to) await follower.look();
      }
      for (const [index, { resolve }] of group.entries()) {
        const result = results[index]?.result;
        if (result !== undefined) resolve(result);
      }
    };
    return {
      since,
      append: (entry) =>
        new Promise((resolve, reject) => {
          waiting.push({ entry, resolve });
          if (waiting.length === 1) turn().then(commit).catch(reject);
        }),
      follow: (follower) => {
        const following = new LogFollower(
          this.#entries.length,
          (position) => since(position, 7, 1e6),
          follower,
          () => followers.delete(following),
        );
        followers.add(following);
        return Promise.resolve(following);
      },
      entries: async (conversationId, from, to, limit) => {
        await turn();
        return this.#entries
          .filter((each) => each.conversationId === conversationId && each.seq >= from && each.seq <= to)
          .slice(0, limit);
      },
    };
  }

  #commit<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lock.then(work);
    this.#lock = done.catch(() => undefined);
    return done;
  }

  #append(entry: NewEntry, owner: object): { readonly result: AppendResult; readonly position?: number } {
    const { senderId, deviceId, clientMessageId, target, time, content } = entry;
    if (!("peerId" in target)) return { result: { status: "no-conversation" } };
    const key = `${deviceId} ${clientMessageId}`;
    const first = this.#bySend.get(key);
    const recipientId = target.peerId;
    if (first !== undefined) {
      const isSame = first.recipientId === recipientId && Buffer.compare(first.content, content) === 0;
      if (!isSame) return { result: { status: "id-reused" } };
      const { conversationId, seq, time: firstTime, withheld } = first;
      return { result: { status: "repeated", conversationId, seq, time: firstTime, withheld } };
    }
    const pair = [senderId, recipientId].toSorted((a, b) => a - b).join(" ");
    const conversation = this.#conversations.get(pair) ?? { id: this.#conversations.size + 1, head: 0 };
    this.#conversations.set(pair, conversation);
    conversation.head += 1;
    const place = { conversationId: conversation.id, seq: conversation.head, time, withheld: false };
    const stored: Stored = {
      ...place,
      kind: "direct",
      senderId,
      recipientId,
      content,
      deviceId,
      clientMessageId,
      hiddenFrom: [],
      owner,
    };
    this.#bySend.set(key, stored);
    return { result: { status: "stored", ...place }, position: this.#entries.push(stored) };
  }

  #since(owner: object, position: number, limit: number, maxBytes: number): CommittedGroup | undefined {
    const entries: CommittedEntry[] = [];
    let bytes = 0;
    for (const { owner: appender, ...entry } of this.#entries.slice(position, position + limit)) {
      bytes += entry.content.length;
      if (entries.length > 0 && bytes > maxBytes) break;
      entries.push({ ...entry, isOwn: appender === owner });
    }
    if (entries.length === 0) return undefined;
    return { from: position + 1, to: position + entries.length, entries };
  }
}
