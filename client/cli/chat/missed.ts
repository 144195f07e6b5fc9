// What was said while nobody was here: collected until the link has caught up, then told in one go, within bounds.
import type { EntriesLeftOut, EntryArrived } from "../../link/events.ts";
import type { Conversation } from "./conversations.ts";
import type { Count } from "./note.ts";
import type { Place } from "./place.ts";

/** The most lines shown. */
export const MOST_LINES = 200;
/** Lines kept before they are cut to the newest ones. */
const KEPT = 1_000;

export interface MissedLine {
  readonly entry: EntryArrived;
  readonly unread: boolean;
}

interface Kept extends MissedLine {
  readonly conversation: Conversation;
  /** Its time, or that of the one before it in its conversation if that is later: seq outranks clocks. */
  readonly order: number;
}

interface Tally {
  readonly place: Place;
  readonly firstSeq: bigint;
  lastSeq: bigint;
  lastOrder: number;
  /** By others, and not read. */
  unread: number;
  /** To be shown, and what the server left out. */
  total: number;
  gone: number;
}

export interface MissedReport {
  /** When the first unread message was sent. */
  readonly since: Date | undefined;
  /** New messages by others, the most first; what the server left out is counted in. */
  readonly from: readonly Count[];
  /** Not among the lines, with the length of history that shows it. */
  readonly notShown: readonly (Count & { readonly lines: number })[];
  /** No longer in the server's log. */
  readonly gone: readonly Count[];
  /** The newest ones, oldest first. */
  readonly lines: readonly MissedLine[];
}

export class MissedMessages {
  #kept: Kept[] = [];
  readonly #tallies = new Map<Conversation, Tally>();
  #since: Date | undefined;

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** The first seq that came of a conversation; undefined where nothing did. */
  firstSeq(conversation: Conversation): bigint | undefined {
    return this.#tallies.get(conversation)?.firstSeq;
  }

  add(conversation: Conversation, entry: EntryArrived): void {
    const tally = this.#tally(conversation, entry.seq, entry.seq);
    const unread = !entry.mine && entry.seq > conversation.readSeq;
    const time = entry.sendTime ?? new Date(tally.lastOrder);
    tally.lastOrder = Math.max(tally.lastOrder, time.getTime());
    tally.total += 1;
    if (unread) {
      tally.unread += 1;
      if (this.#since === undefined || time < this.#since) this.#since = time;
    }
    this.#kept.push({ conversation, entry, unread, order: tally.lastOrder });
    if (this.#kept.length > KEPT) this.#cut();
  }

  leftOut(conversation: Conversation, { fromSeq, toSeq, fillable }: EntriesLeftOut): void {
    const tally = this.#tally(conversation, fromSeq, toSeq);
    const entries = Number(toSeq - fromSeq) + 1;
    if (!fillable) {
      tally.gone += entries;
      return;
    }
    tally.total += entries;
    const unreadFrom = conversation.readSeq + 1n > fromSeq ? conversation.readSeq + 1n : fromSeq;
    if (unreadFrom <= toSeq) tally.unread += Number(toSeq - unreadFrom) + 1;
  }

  report(): MissedReport {
    this.#cut();
    const shown = Map.groupBy(this.#kept, ({ conversation }) => conversation);
    const tallies = [...this.#tallies];
    return {
      since: this.#since,
      from: tallies
        .map(([, { place, unread }]) => ({ place, count: unread }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count),
      notShown: tallies
        .map(([conversation, { place, total, firstSeq, lastSeq }]) => ({
          place,
          count: total - (shown.get(conversation)?.length ?? 0),
          lines: Number(lastSeq - firstSeq) + 1,
        }))
        .filter(({ count }) => count > 0),
      gone: tallies.map(([, { place, gone }]) => ({ place, count: gone })).filter(({ count }) => count > 0),
      lines: this.#kept,
    };
  }

  #tally(conversation: Conversation, fromSeq: bigint, toSeq: bigint): Tally {
    const known = this.#tallies.get(conversation);
    if (known !== undefined) {
      known.lastSeq = toSeq;
      return known;
    }
    const { place } = conversation;
    const tally = { place, firstSeq: fromSeq, lastSeq: toSeq, lastOrder: 0, unread: 0, total: 0, gone: 0 };
    this.#tallies.set(conversation, tally);
    return tally;
  }

  /** Keeps the newest, sorted. The sort is stable: what came in order of seq stays so. */
  #cut(): void {
    this.#kept = this.#kept.toSorted((a, b) => a.order - b.order).slice(-MOST_LINES);
  }
}
