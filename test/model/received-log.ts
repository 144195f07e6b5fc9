// What one reader holds of the logs, built from a stream's events by the rules that every client follows.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { type EventOf, textOf } from "../support/client.ts";

/** What stands at one seq, as far as this reader was told. */
export type Held =
  | { readonly kind: "entry"; readonly sender: string; readonly text: string }
  /** An Ack stood at the place of the entry: the author has the text. */
  | { readonly kind: "own"; readonly text: string }
  | { readonly kind: "omitted" }
  | { readonly kind: "gap" };

/** It MUST be told of each seq of a conversation once and in order; every method throws where it is not. */
export class HeldLog {
  /** How far the reader is, by conversation: what its next Hello says. */
  readonly cursors = new Map<string, bigint>();
  readonly #held = new Map<string, Map<bigint, Held>>();
  #isCaughtUp = false;

  /** A new stream begins: until CaughtUp comes, a conversation may begin at its newest entries. */
  streamOpened(): void {
    this.#isCaughtUp = false;
  }

  caughtUp(): void {
    this.#isCaughtUp = true;
  }

  at(conversationId: string, seq: bigint): Held | undefined {
    return this.#held.get(conversationId)?.get(seq);
  }

  entry(appended: EventOf<"entryAppended">): void {
    const { entry } = appended;
    if (entry === undefined) throw new Error("an EntryAppended without an entry");
    const { conversationId, seq, sender } = entry;
    const text = textOf(appended);
    // While the stream caught up, its Ack came first: the entry comes all the same.
    const held = this.at(conversationId, seq);
    if (held?.kind === "own") {
      if (held.text === text) return;
      throw new Error(
        `${conversationId}/${seq} was acked as ${beginningOf(held.text)} and is ${beginningOf(text)}`,
      );
    }
    this.#hold(conversationId, seq, seq, { kind: "entry", sender: sender?.username ?? "", text });
  }

  /** The answer to a send of the same stream. It only takes the entry's place where it is the next seq. */
  ack(conversationId: string, seq: bigint, text: string): void {
    const next = (this.cursors.get(conversationId) ?? 0n) + 1n;
    if (seq === next) this.#hold(conversationId, seq, seq, { kind: "own", text });
  }

  omitted({ conversationId, fromSeq, toSeq }: EventOf<"omitted">): void {
    this.#hold(conversationId, fromSeq, toSeq, { kind: "omitted" });
  }

  gap({ conversationId, fromSeq, toSeq, kind }: EventOf<"gap">): void {
    if (kind !== GapKind.FILLABLE) throw new Error(`${conversationId}/${fromSeq}-${toSeq} is gone`);
    this.#hold(conversationId, fromSeq, toSeq, { kind: "gap" });
  }

  #hold(conversationId: string, from: bigint, to: bigint, held: Held): void {
    const cursor = this.cursors.get(conversationId);
    const isInPlace = cursor === undefined ? from === 1n || !this.#isCaughtUp : from === cursor + 1n;
    if (!isInPlace || to < from) {
      const place = from === to ? `${conversationId}/${from}` : `${conversationId}/${from}-${to}`;
      const before = this.at(conversationId, from)?.kind ?? "nothing";
      throw new Error(`${held.kind} ${place} came at cursor ${cursor ?? "none"}, where ${before} stood`);
    }
    const log = this.#held.get(conversationId) ?? new Map<bigint, Held>();
    this.#held.set(conversationId, log);
    for (let seq = from; seq <= to; seq++) log.set(seq, held);
    this.cursors.set(conversationId, to);
  }
}

/** Enough of a text to know it again; some are very long. */
export function beginningOf(text: string): string {
  return text.slice(0, 40);
}
