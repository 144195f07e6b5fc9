// Reads a log as one user sees it, in pages that account for every seq: as an entry, as omitted, or as gone.
import { limits } from "../limits.ts";
import {
  type ConversationRow,
  type LogStore,
  type SeqRange,
  StoreDamagedError,
  type StoredEntry,
  type UserRow,
} from "../store/store.ts";
import type { EntryUsers } from "./encoding.ts";
import type { UserCache } from "./user-cache.ts";
import { type LogItem, layOut } from "./visibility.ts";

const ENTRIES_AT_A_TIME = 64;
/**
 * The most seqs that one page examines. This bounds the number of its visible ranges, since each contains at least one
 * seq.
 */
const SEQS_AT_A_TIME = 10_000;
/** How many times as many seqs as entries a page examines first, and how the number grows if too few are visible. */
const FIRST_SEQS_PER_ENTRY = 2;
const SEQS_GROWTH = 8;

/** What a page has besides its entries, bytes. */
const REST_BYTES = 2048;

export interface PageBounds {
  /** The most entries. */
  readonly entries: number;
  /** The most encoded bytes; by default those of a response. */
  readonly bytes?: number;
  /** Whether the page begins at the high end of the range. */
  readonly newest?: boolean;
}

export interface LogPage {
  readonly items: readonly LogItem[];
  /** The part of the requested range that the page covers. It is empty if from > to. */
  readonly from: number;
  readonly to: number;
  /** The sender and the recipient of an entry of this page. */
  usersOf(entry: StoredEntry): EntryUsers;
}

export class ConversationLog {
  readonly #log: LogStore;
  readonly #users: UserCache;
  readonly #onDamage: (message: string) => void;

  /** @param onDamage receives what is wrong with entries that the store could read; the store reports the others */
  constructor(log: LogStore, users: UserCache, onDamage: (message: string) => void) {
    this.#log = log;
    this.#users = users;
    this.#onDamage = onDamage;
  }

  /**
   * Reads a page of the range from … to, which must be within 1 … head. The page begins at the low end, or at the high
   * end if `newest` is set. It ends before the entry that would exceed a bound, but has at least one.
   */
  async page(
    userId: number,
    { conversationId }: Pick<ConversationRow, "conversationId">,
    from: number,
    to: number,
    bounds: PageBounds,
  ): Promise<LogPage> {
    const { newest = false } = bounds;
    try {
      return await this.#page(userId, conversationId, from, to, bounds);
    } catch (error) {
      if (!(error instanceof StoreDamagedError)) throw error;
      // Which entries the user may see cannot be read, so the page stands for entries that cannot be sent.
      const part = windowOf(from, to, bounds.entries, newest);
      const usersOf = (): never => {
        throw new Error("the page has no entries");
      };
      return { items: [{ kind: "gone", ...part }], ...part, usersOf };
    }
  }

  async #page(
    userId: number,
    conversationId: number,
    from: number,
    to: number,
    bounds: PageBounds,
  ): Promise<LogPage> {
    const { newest = false } = bounds;
    const { window, visible } = await this.#examine(userId, conversationId, from, to, bounds.entries, newest);
    const asked = reachOf(visible, window.from, window.to, bounds.entries, newest);
    const { entries: read, ...reach } = await this.#read(conversationId, visible, asked, bounds);
    const ids = new Set<number>();
    for (const entry of read) {
      ids.add(entry.senderId);
      if (entry.recipientId !== undefined) ids.add(entry.recipientId);
    }
    const users = await this.#users.byIds(ids);
    const entries = read.filter((entry) => this.#hasUsers(entry, users));
    return {
      items: layOut(reach.from, reach.to, visible, entries),
      ...reach,
      usersOf: (entry) => entryUsers(entry, users),
    };
  }

  #hasUsers(
    { conversationId, seq, senderId, recipientId = senderId }: StoredEntry,
    users: ReadonlyMap<number, UserRow>,
  ) {
    if (users.has(senderId) && users.has(recipientId)) return true;
    this.#onDamage(
      `entry ${seq} of conversation ${conversationId} is damaged: it names a user who never existed`,
    );
    return false;
  }

  /**
   * Finds the visible ranges of a window at one end of from … to, which has `limit` visible seqs if the whole range does.
   * Most windows are small, because examining hidden entries costs time for each seq.
   */
  async #examine(
    userId: number,
    conversationId: number,
    from: number,
    to: number,
    limit: number,
    newest: boolean,
  ): Promise<{ window: SeqRange; visible: readonly SeqRange[] }> {
    for (let size = FIRST_SEQS_PER_ENTRY * limit; ; size *= SEQS_GROWTH) {
      const window = windowOf(from, to, Math.min(size, SEQS_AT_A_TIME), newest);
      const visible = await this.#log.visibleRanges(userId, conversationId, window.from, window.to);
      const isWhole = window.from <= from && window.to >= to;
      if (isWhole || size >= SEQS_AT_A_TIME || countSeqs(visible) >= limit) return { window, visible };
    }
  }

  /** Reads the entries of the visible ranges inside `reach`. Returns a shorter reach if they exceed the bytes. */
  async #read(
    conversationId: number,
    visible: readonly SeqRange[],
    reach: SeqRange,
    { newest = false, bytes: most = limits.pageBytes - REST_BYTES }: PageBounds,
  ): Promise<SeqRange & { entries: StoredEntry[] }> {
    const entries: StoredEntry[] = [];
    let left = most;
    for (const range of newest ? visible.toReversed() : visible) {
      let low = Math.max(range.from, reach.from);
      let high = Math.min(range.to, reach.to);
      while (low <= high) {
        const { rows, part } = await this.#readSome(conversationId, { from: low, to: high }, newest, left);
        if (rows.length === 0) {
          // The layout names these seqs, because they are visible and their entries are missing.
          if (newest) high = part.from - 1;
          else low = part.to + 1;
        }
        for (const row of newest ? rows.toReversed() : rows) {
          left -= row.content.length + limits.entryOverhead;
          if (left < 0 && entries.length > 0) {
            const end = newest ? { from: row.seq + 1, to: reach.to } : { from: reach.from, to: row.seq - 1 };
            return { entries: inOrder(entries), ...end };
          }
          entries.push(row);
          if (newest) high = row.seq - 1;
          else low = row.seq + 1;
        }
      }
    }
    return { entries: inOrder(entries), ...reach };
  }

  /**
   * Reads some entries at one end of the range. If some are damaged, reads a smaller part, down to one entry, which is
   * left out if it is damaged itself.
   */
  async #readSome(
    conversationId: number,
    range: SeqRange,
    newest: boolean,
    bytes: number,
  ): Promise<{ rows: StoredEntry[]; part: SeqRange }> {
    let part = range;
    for (let size = ENTRIES_AT_A_TIME; ; size = Math.floor(size / 2)) {
      try {
        const { from, to } = part;
        return {
          rows: await this.#log.entries(conversationId, from, to, ENTRIES_AT_A_TIME, newest, bytes),
          part,
        };
      } catch (error) {
        if (!(error instanceof StoreDamagedError)) throw error;
        if (part.from === part.to) return { rows: [], part };
        part = windowOf(range.from, range.to, Math.max(1, size), newest);
      }
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

function inOrder(entries: StoredEntry[]): StoredEntry[] {
  return entries.sort((a, b) => a.seq - b.seq);
}

/** The part of the range at its low or its high end with at most `size` seqs. */
function windowOf(from: number, to: number, size: number, newest: boolean): SeqRange {
  return newest ? { from: Math.max(from, to - size + 1), to } : { from, to: Math.min(to, from + size - 1) };
}

function countSeqs(ranges: readonly SeqRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** The part of from … to that contains `limit` visible seqs, counted from the low or from the high end. */
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
