// Reads the log as one user sees it: pages in which every seq is an entry, omitted, or gone.
import type { ConversationRow, LogStore, SeqRange, StoredEntry, UserRow } from "../store/store.ts";
import type { EntryUsers } from "./encoding.ts";
import type { Users } from "./users.ts";
import { type LogItem, layOut } from "./visibility.ts";

export interface LogPage {
  readonly items: readonly LogItem[];
  /** The part of the asked range that the page covers; from > to where the range was empty. */
  readonly from: number;
  readonly to: number;
  /** Finds who wrote and receives an entry of this page. */
  usersOf(entry: StoredEntry): EntryUsers;
}

export class ConversationLog {
  readonly #log: LogStore;
  readonly #users: Users;

  constructor(log: LogStore, users: Users) {
    this.#log = log;
    this.#users = users;
  }

  /**
   * A page of from … to (inside 1 … head, the caller sees to that) with at most `limit` entries, from the low end, or
   * from the high end if `newest`.
   */
  async page(
    userId: number,
    conversation: Pick<ConversationRow, "conversationId" | "kind">,
    from: number,
    to: number,
    limit: number,
    newest = false,
  ): Promise<LogPage> {
    const visible = await this.#visible(userId, conversation, from, to);
    const reach = reachOf(visible, from, to, limit, newest);
    const entries: StoredEntry[] = [];
    for (const range of visible) {
      const low = Math.max(range.from, reach.from);
      const high = Math.min(range.to, reach.to);
      if (low > high) continue;
      entries.push(...(await this.#log.entries(conversation.conversationId, low, high, high - low + 1)));
    }
    const ids = new Set<number>();
    for (const entry of entries) {
      ids.add(entry.senderId);
      if (entry.recipientId !== undefined) ids.add(entry.recipientId);
    }
    const users = await this.#users.byIds(ids);
    return {
      items: layOut(reach.from, reach.to, visible, entries),
      ...reach,
      usersOf: (entry) => entryUsers(entry, users),
    };
  }

  #visible(
    userId: number,
    conversation: Pick<ConversationRow, "conversationId" | "kind">,
    from: number,
    to: number,
  ): SeqRange[] | Promise<SeqRange[]> {
    switch (conversation.kind) {
      case "direct":
        return [{ from, to }];
      case "broadcast":
        return this.#log.broadcastRanges(userId, from, to);
    }
  }
}

function entryUsers(entry: StoredEntry, users: ReadonlyMap<number, UserRow>): EntryUsers {
  const sender = users.get(entry.senderId);
  const recipient = entry.recipientId === undefined ? undefined : users.get(entry.recipientId);
  if (sender === undefined || (entry.recipientId !== undefined && recipient === undefined)) {
    throw new Error(`entry ${entry.conversationId}/${entry.seq} names a user that the store does not have`);
  }
  return { sender, recipient };
}

/** How much of from … to holds `limit` visible seqs, counted from the low end or from the high one. */
function reachOf(
  visible: readonly SeqRange[],
  from: number,
  to: number,
  limit: number,
  newest: boolean,
): SeqRange {
  let left = limit;
  for (const range of newest ? visible.toReversed() : visible) {
    const low = Math.max(range.from, from);
    const high = Math.min(range.to, to);
    if (low > high) continue;
    const size = high - low + 1;
    if (size > left) return newest ? { from: high - left + 1, to } : { from, to: low + left - 1 };
    left -= size;
  }
  return { from, to };
}
