// The part of the logs that one reader has received, built from the events of its streams by the rules for clients.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { type EventOf, textOf } from "../support/client.ts";

/** What this reader received for one seq. */
export type Received =
  | { readonly kind: "entry"; readonly sender: string; readonly text: string }
  /** An Ack took the place of the entry. The author knows the text. */
  | { readonly kind: "own"; readonly text: string }
  | { readonly kind: "omitted" }
  | { readonly kind: "gap" };

/** The reader must receive each seq of a conversation once and in order. The methods throw an Error if it does not. */
export class ReceivedLog {
  /** The cursor of the reader for each conversation, which its next Hello contains. */
  readonly cursors = new Map<string, bigint>();
  readonly #received = new Map<string, Map<bigint, Received>>();
  #isCaughtUp = false;

  /** Call it when a new stream opens. Until CaughtUp, a conversation may begin at its newest entries. */
  streamOpened(): void {
    this.#isCaughtUp = false;
  }

  caughtUp(): void {
    this.#isCaughtUp = true;
  }

  at(conversationId: string, seq: bigint): Received | undefined {
    return this.#received.get(conversationId)?.get(seq);
  }

  entry(appended: EventOf<"entryAppended">): void {
    const { entry } = appended;
    if (entry === undefined) throw new Error("an EntryAppended without an entry");
    const { conversationId, seq, sender } = entry;
    const text = textOf(appended);
    // While the stream caught up, its Ack arrived first. The entry is sent, too.
    const received = this.at(conversationId, seq);
    if (received?.kind === "own") {
      if (received.text === text) return;
      throw new Error(
        `${conversationId}/${seq} was acked as ${beginningOf(received.text)} and is ${beginningOf(text)}`,
      );
    }
    this.#add(conversationId, seq, seq, { kind: "entry", sender: sender?.username ?? "", text });
  }

  /** The answer to a send on the same stream. It replaces the entry only if it has the next seq. */
  ack(conversationId: string, seq: bigint, text: string): void {
    const next = (this.cursors.get(conversationId) ?? 0n) + 1n;
    if (seq === next) this.#add(conversationId, seq, seq, { kind: "own", text });
  }

  omitted({ conversationId, fromSeq, toSeq }: EventOf<"omitted">): void {
    this.#add(conversationId, fromSeq, toSeq, { kind: "omitted" });
  }

  gap({ conversationId, fromSeq, toSeq, kind }: EventOf<"gap">): void {
    if (kind !== GapKind.FILLABLE) throw new Error(`${conversationId}/${fromSeq}-${toSeq} is gone`);
    this.#add(conversationId, fromSeq, toSeq, { kind: "gap" });
  }

  #add(conversationId: string, from: bigint, to: bigint, received: Received): void {
    const cursor = this.cursors.get(conversationId);
    const isInPlace = cursor === undefined ? from === 1n || !this.#isCaughtUp : from === cursor + 1n;
    if (!isInPlace || to < from) {
      const place = from === to ? `${conversationId}/${from}` : `${conversationId}/${from}-${to}`;
      const before = this.at(conversationId, from)?.kind ?? "nothing";
      throw new Error(
        `${received.kind} ${place} arrived at cursor ${cursor ?? "none"}, after ${before} for the same seq`,
      );
    }
    const log = this.#received.get(conversationId) ?? new Map<bigint, Received>();
    this.#received.set(conversationId, log);
    for (let seq = from; seq <= to; seq++) log.set(seq, received);
    this.cursors.set(conversationId, to);
  }
}

/** Enough of a text to recognise it. Some texts are very long. */
export function beginningOf(text: string): string {
  return text.slice(0, 40);
}
