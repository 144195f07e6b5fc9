// Tests the layout of a log for one reader: it covers every seq once, and shows no hidden entry.
import fc from "fast-check";
import { expect, test } from "vitest";
import { layOut } from "../../../server/chat/visibility.ts";
import type { SeqRange, StoredEntry } from "../../../server/store/store.ts";

function entry(seq: number): StoredEntry {
  return {
    conversationId: 1,
    seq,
    kind: "broadcast",
    senderId: 1,
    recipientId: undefined,
    time: 0,
    content: new Uint8Array(),
  };
}

test("every seq is covered once, in order, by an item of the right kind", () => {
  const seqs = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });
  const bound = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(seqs, seqs, bound, bound, (visibleSeqs, existing, a, b) => {
      const from = Math.min(a, b);
      const to = Math.max(a, b);
      const visible = toRanges(visibleSeqs.toSorted((x, y) => x - y));
      const rows = existing.toSorted((x, y) => x - y).filter((seq) => visibleSeqs.includes(seq));
      const named = new Map<number, string>();
      let last = from - 1;
      for (const item of layOut(from, to, visible, rows.map(entry))) {
        const range = item.kind === "entry" ? { from: item.entry.seq, to: item.entry.seq } : item;
        expect(range.from).toBe(last + 1);
        for (let seq = range.from; seq <= range.to; seq++) named.set(seq, item.kind);
        last = range.to;
      }
      expect(last).toBe(to);
      for (let seq = from; seq <= to; seq++) {
        const expected = !visibleSeqs.includes(seq) ? "omitted" : rows.includes(seq) ? "entry" : "gone";
        expect(named.get(seq)).toBe(expected);
      }
    }),
  );
});

function toRanges(seqs: number[]): SeqRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const seq of seqs) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === seq - 1) last.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges;
}
