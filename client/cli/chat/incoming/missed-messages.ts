// Collects messages that were missed while the connection was away, and reports the newest of them with counts of the
// rest.
import type { EntriesSkipped, EntryArrived } from "../../../link/model/events.ts";
import type { ChatConversation } from "../model/conversations.ts";
import type { Count } from "../model/display-item.ts";

/** How many lines may be kept beyond `mostLines` before the oldest are dropped. */
const SLACK = 1_000;

export interface MissedLine {
  readonly conversation: ChatConversation;
  readonly entry: EntryArrived;
  readonly unread: boolean;
}

interface Kept extends MissedLine {
  /** The time to sort by, ms: not before that of the conversation's previous entry, to keep the order of seqs. */
  readonly order: number;
}

interface Tally {
  firstSeq: bigint;
  lastSeq: bigint;
  lastOrder: number;
  /** Unread messages by others. */
  unread: number;
  /** How many of them an earlier run has shown, and are not new. */
  before: number;
  /** Entries that can be shown. */
  total: number;
  /** Entries that were removed from the log. */
  gone: number;
}

/** Unread messages that are older than the missed ones. */
export interface UnreadBefore {
  readonly count: number;
  /** When the oldest of them was sent. */
  readonly since: Date | undefined;
  /** A device of the user has received them, so an earlier run has shown them. */
  readonly wasShown: boolean;
}

/** Messages of a conversation that are not among the reported lines. */
export interface NotShown {
  readonly conversation: ChatConversation;
  readonly count: number;
  /** How many of them are unread messages by others. */
  readonly unread: number;
  /** How many entries /history must show to include them. */
  readonly lines: number;
  /** All of them are at or below this seq. */
  readonly toSeq: bigint;
}

export interface MissedReport {
  /** When the oldest new message was sent. */
  readonly since: Date | undefined;
  /** New messages by others per conversation, the most first; those not shown are included. */
  readonly from: readonly Count[];
  readonly notShown: readonly NotShown[];
  /** Entries that are no longer in the server's log. */
  readonly gone: readonly Count[];
  /** The newest messages, oldest first. */
  readonly lines: readonly MissedLine[];
}

export class MissedMessages {
  readonly #mostLines: number;
  #kept: Kept[] = [];
  readonly #tallies = new Map<ChatConversation, Tally>();
  #since: Date | undefined;

  /** @param mostLines the most lines in a report */
  constructor(mostLines: number) {
    this.#mostLines = mostLines;
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** The seq of the first missed entry of a conversation; undefined if none was missed. */
  firstSeq(conversation: ChatConversation): bigint | undefined {
    return this.#tallies.get(conversation)?.firstSeq;
  }

  add(conversation: ChatConversation, entry: EntryArrived): void {
    const tally = this.#tally(conversation, entry.seq, entry.seq);
    const unread = !entry.mine && entry.seq > conversation.readSeq;
    const time = entry.sendTime ?? new Date(tally.lastOrder);
    tally.lastOrder = Math.max(tally.lastOrder, time.getTime());
    tally.total += 1;
    if (unread) {
      tally.unread += 1;
      this.#lowerSince(time);
    }
    this.#kept.push({ conversation, entry, unread, order: tally.lastOrder });
    if (this.#kept.length > this.#mostLines + SLACK) this.#cut();
  }

  leftOut(conversation: ChatConversation, { fromSeq, toSeq, fillable }: EntriesSkipped): void {
    const tally = this.#tally(conversation, fromSeq, toSeq);
    if (!fillable) {
      tally.gone += span(fromSeq, toSeq);
      return;
    }
    tally.total += span(fromSeq, toSeq);
    const unreadFrom = conversation.readSeq + 1n > fromSeq ? conversation.readSeq + 1n : fromSeq;
    if (unreadFrom <= toSeq) tally.unread += span(unreadFrom, toSeq);
  }

  /** Adds unread messages that are older than the missed ones; the oldest of them has the seq `fromSeq`. */
  unreadBefore(
    conversation: ChatConversation,
    fromSeq: bigint,
    { count, since, wasShown }: UnreadBefore,
  ): void {
    const tally = this.#tally(conversation, fromSeq, fromSeq);
    tally.firstSeq = fromSeq;
    tally.unread += count;
    tally.total += count;
    if (wasShown) tally.before += count;
    else if (since !== undefined) this.#lowerSince(since);
  }

  report(): MissedReport {
    this.#cut();
    const shown = Map.groupBy(this.#kept, ({ conversation }) => conversation);
    const tallies = [...this.#tallies];
    return {
      since: this.#since,
      from: tallies
        .map(([{ place }, { unread, before }]) => ({ place, count: unread - before }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count),
      notShown: tallies
        .map(([conversation, tally]) => notShown(conversation, tally, shown.get(conversation) ?? []))
        .filter(({ count }) => count > 0),
      gone: tallies.map(([{ place }, { gone }]) => ({ place, count: gone })).filter(({ count }) => count > 0),
      lines: this.#kept,
    };
  }

  #lowerSince(time: Date): void {
    if (this.#since === undefined || time < this.#since) this.#since = time;
  }

  #tally(conversation: ChatConversation, fromSeq: bigint, toSeq: bigint): Tally {
    const known = this.#tallies.get(conversation);
    if (known !== undefined) {
      if (toSeq > known.lastSeq) known.lastSeq = toSeq;
      return known;
    }
    const tally = {
      firstSeq: fromSeq,
      lastSeq: toSeq,
      lastOrder: 0,
      unread: 0,
      before: 0,
      total: 0,
      gone: 0,
    };
    this.#tallies.set(conversation, tally);
    return tally;
  }

  /** Sorts, and keeps the newest lines. The sort is stable, so the order of seqs is kept. */
  #cut(): void {
    this.#kept = this.#kept.toSorted((a, b) => a.order - b.order).slice(-this.#mostLines);
  }
}

function notShown(conversation: ChatConversation, tally: Tally, shown: readonly MissedLine[]): NotShown {
  return {
    conversation,
    count: tally.total - shown.length,
    unread: tally.unread - shown.filter(({ unread }) => unread).length,
    lines: span(tally.firstSeq, tally.lastSeq),
    toSeq: (shown[0]?.entry.seq ?? tally.lastSeq + 1n) - 1n,
  };
}

function span(fromSeq: bigint, toSeq: bigint): number {
  return Number(toSeq - fromSeq) + 1;
}
