// What was said while nobody was here: collected until the link has caught up, then told in one go, within bounds.
import type { EntriesSkipped, EntryArrived } from "../../../link/model/events.ts";
import type { ChatConversation } from "../model/conversations.ts";
import type { Count } from "../model/display-item.ts";

/** Lines kept beyond those that are shown before they are cut. */
const SLACK = 1_000;

export interface MissedLine {
  readonly conversation: ChatConversation;
  readonly entry: EntryArrived;
  readonly unread: boolean;
}

interface Kept extends MissedLine {
  /** Its time, or that of the one before it in its conversation if that is later: seq outranks clocks. */
  readonly order: number;
}

interface Tally {
  firstSeq: bigint;
  lastSeq: bigint;
  lastOrder: number;
  /** By others, and not read. */
  unread: number;
  /** To be shown, and what cannot be. */
  total: number;
  gone: number;
}

/** Messages that are not among the lines. */
export interface NotShown {
  readonly conversation: ChatConversation;
  readonly count: number;
  /** Of them by others, and not read. */
  readonly unread: number;
  /** The length of history that shows them. */
  readonly lines: number;
  /** All of them are at or below this seq. */
  readonly toSeq: bigint;
}

export interface MissedReport {
  /** When the first unread message was sent. */
  readonly since: Date | undefined;
  /** New messages by others, the most first; what is not shown is counted in. */
  readonly from: readonly Count[];
  readonly notShown: readonly NotShown[];
  /** No longer in the server's log. */
  readonly gone: readonly Count[];
  /** The newest ones, oldest first. */
  readonly lines: readonly MissedLine[];
}

export class MissedMessages {
  readonly #mostLines: number;
  #kept: Kept[] = [];
  readonly #tallies = new Map<ChatConversation, Tally>();
  #since: Date | undefined;

  /** @param mostLines the most that are reported */
  constructor(mostLines: number) {
    this.#mostLines = mostLines;
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** The first seq that came of a conversation; undefined where nothing did. */
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
      this.#begins(time);
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

  /** Unread messages from before what came of the conversation, which begins at `fromSeq`. */
  unreadBefore(
    conversation: ChatConversation,
    fromSeq: bigint,
    count: number,
    since: Date | undefined,
  ): void {
    const tally = this.#tally(conversation, fromSeq, fromSeq);
    tally.firstSeq = fromSeq;
    tally.unread += count;
    tally.total += count;
    if (since !== undefined) this.#begins(since);
  }

  report(): MissedReport {
    this.#cut();
    const shown = Map.groupBy(this.#kept, ({ conversation }) => conversation);
    const tallies = [...this.#tallies];
    return {
      since: this.#since,
      from: tallies
        .map(([{ place }, { unread }]) => ({ place, count: unread }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count),
      notShown: tallies
        .map(([conversation, tally]) => notShown(conversation, tally, shown.get(conversation) ?? []))
        .filter(({ count }) => count > 0),
      gone: tallies.map(([{ place }, { gone }]) => ({ place, count: gone })).filter(({ count }) => count > 0),
      lines: this.#kept,
    };
  }

  #begins(time: Date): void {
    if (this.#since === undefined || time < this.#since) this.#since = time;
  }

  #tally(conversation: ChatConversation, fromSeq: bigint, toSeq: bigint): Tally {
    const known = this.#tallies.get(conversation);
    if (known !== undefined) {
      if (toSeq > known.lastSeq) known.lastSeq = toSeq;
      return known;
    }
    const tally = { firstSeq: fromSeq, lastSeq: toSeq, lastOrder: 0, unread: 0, total: 0, gone: 0 };
    this.#tallies.set(conversation, tally);
    return tally;
  }

  /** Keeps the newest, sorted. The sort is stable: what came in order of seq stays so. */
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
