// The one rule of who sees which entry, as arithmetic on seq: backlog, history and catching up all go through it.
import type { SeqRange, StoredEntry } from "../store/store.ts";

/** What stands at a place of a log for one reader. Every seq of a range is named by exactly one item. */
export type LogItem =
  | { kind: "entry"; entry: StoredEntry }
  /** In the log, but not for this reader. */
  | { kind: "omitted"; from: number; to: number }
  /** No longer in the log. */
  | { kind: "gone"; from: number; to: number };

/**
 * Lays out from … to: the entries inside the visible ranges, and what stands in for the others.
 * @param entries all rows that exist in the visible part of from … to, by rising seq
 * @param visible ranges by rising seq, disjoint
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
