// Maps a range of seqs to what one reader sees of it. The backlog, the history and catching up all use this rule.
import type { SeqRange, StoredEntry } from "../store/store.ts";

/** A part of a log for one reader. Every seq of a range is covered by exactly one item. */
export type LogItem =
  | { kind: "entry"; entry: StoredEntry }
  /** Entries in the log that this reader may not see. */
  | { kind: "omitted"; from: number; to: number }
  /** Entries that are no longer in the log. */
  | { kind: "gone"; from: number; to: number };

/**
 * Lays out the range from … to as the entries in the visible ranges and items that stand for all other seqs.
 * @param visible disjoint ranges, in the order of seq
 * @param entries all rows that exist in the visible part of from … to, in the order of seq
 */
export function layOut(
  from: number,
  to: number,
  visible: readonly SeqRange[],
  entries: readonly StoredEntry[],
): LogItem[] {
  const items: LogItem[] = [];
  let next = from;
  let index = 0;
  for (const range of visible) {
    const start = Math.max(range.from, next);
    const end = Math.min(range.to, to);
    if (start > end) continue;
    if (start > next) items.push({ kind: "omitted", from: next, to: start - 1 });
    next = start;
    for (; index < entries.length; index++) {
      const entry = entries[index];
      if (entry === undefined || entry.seq > end) break;
      if (entry.seq < next) continue;
      if (entry.seq > next) items.push({ kind: "gone", from: next, to: entry.seq - 1 });
      items.push({ kind: "entry", entry });
      next = entry.seq + 1;
    }
    if (next <= end) items.push({ kind: "gone", from: next, to: end });
    next = end + 1;
  }
  if (next <= to) items.push({ kind: "omitted", from: next, to });
  return items;
}
