// How far one link has come in each conversation: tells what is new from what came before, and finds holes.
import type { Cursor } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Position } from "../model/cursors.ts";

interface Place {
  seq: bigint;
  /** Where this link began: what is at or below was handed out by an earlier one, if at all. */
  readonly start: bigint;
  /**
   * The Hello of this stream did not name it, and nothing of it has come since: the server starts at its last entries,
   * so that a jump is no hole.
   */
  mayJump: boolean;
}

export type Arrival =
  /** Hand it out, beginning at `fromSeq`; `leftOut` was jumped over. */
  | { readonly status: "new"; readonly fromSeq: bigint; readonly leftOut: SeqRange | undefined }
  /** It came before. */
  | { readonly status: "old" }
  /** Something between was lost. */
  | { readonly status: "hole"; readonly expected: bigint };

export interface SeqRange {
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
}

export class Positions {
  /** In the order of use, the one used last at the end. */
  readonly #places = new Map<string, Place>();

  /** @param positions the one used last first */
  constructor(positions: readonly Position[]) {
    for (const { conversationId, seq } of positions.toReversed()) {
      this.#places.set(conversationId, { seq, start: seq, mayJump: true });
    }
  }

  /** The cursors for a new stream's Hello: of more than `most`, those used last. */
  beginStream(most: number): Cursor[] {
    const named = [...this.#places].slice(most > 0 ? -most : this.#places.size);
    for (const place of this.#places.values()) place.mayJump = true;
    return named.map(([conversationId, place]) => {
      place.mayJump = false;
      return { conversationId, seq: place.seq };
    });
  }

  /** Takes note of the entries from `fromSeq` to `toSeq`. */
  arrive(conversationId: string, fromSeq: bigint, toSeq: bigint): Arrival {
    const place = this.#places.get(conversationId);
    if (place === undefined) {
      this.#places.set(conversationId, { seq: toSeq, start: fromSeq - 1n, mayJump: false });
      return { status: "new", fromSeq, leftOut: undefined };
    }
    if (toSeq <= place.seq) return { status: "old" };
    const expected = place.seq + 1n;
    const jumped = fromSeq > expected;
    if (jumped && !place.mayJump) return { status: "hole", expected };
    this.#moveTo(conversationId, place, toSeq);
    return {
      status: "new",
      fromSeq: fromSeq > expected ? fromSeq : expected,
      leftOut: jumped ? { fromSeq: expected, toSeq: fromSeq - 1n } : undefined,
    };
  }

  /** An ack stands at the place of its entry if that is the next one. True if it was. */
  ack(conversationId: string, seq: bigint): boolean {
    const place = this.#places.get(conversationId);
    if (place === undefined) {
      // Of a conversation that is new to this link the server may yet push what came before.
      if (seq !== 1n) return false;
      this.#places.set(conversationId, { seq, start: 0n, mayJump: false });
      return true;
    }
    if (seq !== place.seq + 1n) return false;
    this.#moveTo(conversationId, place, seq);
    return true;
  }

  /** Whether this link has handed out that entry, or what stands in its place. */
  handedOut(conversationId: string, seq: bigint): boolean {
    const place = this.#places.get(conversationId);
    return place !== undefined && seq <= place.seq && seq > place.start;
  }

  forget(conversationId: string | undefined): void {
    if (conversationId === undefined) this.#places.clear();
    else this.#places.delete(conversationId);
  }

  #moveTo(conversationId: string, place: Place, seq: bigint): void {
    place.seq = seq;
    place.mayJump = false;
    this.#places.delete(conversationId);
    this.#places.set(conversationId, place);
  }
}
