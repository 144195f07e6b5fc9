// Lists the items of one log that a reader received, in order: each seq as an entry, an ack, omitted or a gap.

import type { Entry } from "../../gen/parley/chat/v1/entry.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import type { HistoryItem } from "../../gen/parley/chat/v1/history_service.ts";

/** "7 hello", "8 ack", "omitted 3-4", "gap 1-20": short enough for a report. */
export type Named = string;

export function namedBy(events: readonly Event[], conversationId: string): Named[] {
  return events.flatMap(({ kind }) => {
    switch (kind?.$case) {
      case "entryAppended": {
        const { entry } = kind.value;
        return entry?.conversationId === conversationId ? [nameOf(entry)] : [];
      }
      case "ack":
        return kind.value.conversationId === conversationId && !kind.value.repeatedSend
          ? [`${kind.value.seq} ack`]
          : [];
      case "omitted":
      case "gap":
        return kind.value.conversationId === conversationId ? [rangeOf(kind.$case, kind.value)] : [];
      default:
        return [];
    }
  });
}

export function namedByHistory(items: readonly HistoryItem[]): Named[] {
  return items.flatMap(({ item }) => {
    if (item === undefined) return [];
    return item.$case === "entry" ? [nameOf(item.value)] : [rangeOf(item.$case, item.value)];
  });
}

/** Names entries with these texts. The first one has this seq, and the others have the seqs after it. */
export function entriesFrom(seq: bigint, texts: readonly string[]): Named[] {
  return texts.map((text, index) => `${seq + BigInt(index)} ${text}`);
}

/** Every seq of these items, with the ranges expanded. */
export function seqsOf(named: readonly Named[]): bigint[] {
  return named.flatMap((one) => {
    const [, from = "0", to = from] = /^(?:[a-z]+ )?(\d+)(?:-(\d+))?/.exec(one) ?? [];
    return range(BigInt(from), BigInt(to));
  });
}

/** The numbers from the first to the second, inclusive. */
export function range(from: bigint, to: bigint): bigint[] {
  return Array.from({ length: Number(to - from) + 1 }, (_, index) => from + BigInt(index));
}

export function textOf(entry: Entry | undefined): string {
  return entry?.content?.kind?.$case === "text" ? entry.content.kind.value : "(no text)";
}

function nameOf(entry: Entry): Named {
  return `${entry.seq} ${textOf(entry)}`;
}

function rangeOf(what: string, { fromSeq, toSeq }: { fromSeq: bigint; toSeq: bigint }): Named {
  return `${what} ${fromSeq}-${toSeq}`;
}
