// The position of one link in each conversation: decides which entries are new, and finds missing ones.
import type { Cursor } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Position } from "../model/cursors.ts";

interface LinkPosition {
  seq: bigint;
  /** The seq at which this link started. It has not handed out the entries up to this one. */
  readonly start: bigint;
  /**
   * The Hello of this stream had no cursor for the conversation, and none of its entries has arrived. The server then
   * starts at the last entries, so a jump in seq is not an error.
   */
  mayJump: boolean;
}

export type Arrival =
  /** Hand out the range from `fromSeq`; `skipped` is the range that the server skipped before it. */
  | { readonly status: "new"; readonly fromSeq: bigint; readonly skipped: SeqRange | undefined }
  /** The range arrived before. */
  | { readonly status: "old" }
  /** Entries before the range are missing, from `expected` on. */
  | { readonly status: "missing"; readonly expected: bigint };

export interface SeqRange {
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
}

export class Positions {
  /** In the order of use; the most recently used one is the last. */
  readonly #byConversation = new Map<string, LinkPosition>();

  /** @param positions the most recently used one comes first */
  constructor(positions: readonly Position[]) {
    for (const { conversationId, seq } of positions.toReversed()) {
      this.#byConversation.set(conversationId, { seq, start: seq, mayJump: true });
    }
  }

  /** The cursors for the Hello of a new stream: the most recently used ones, at most `max`; 0 is no limit. */
  beginStream(max: number): Cursor[] {
    const named = [...this.#byConversation].slice(max > 0 ? -max : this.#byConversation.size);
    for (const position of this.#byConversation.values()) position.mayJump = true;
    return named.map(([conversationId, position]) => {
      position.mayJump = false;
      return { conversationId, seq: position.seq };
    });
  }

  /** Records the arrival of the entries from `fromSeq` to `toSeq`. */
  arrive(conversationId: string, fromSeq: bigint, toSeq: bigint): Arrival {
    const position = this.#byConversation.get(conversationId);
    if (position === undefined) {
      this.#byConversation.set(conversationId, { seq: toSeq, start: fromSeq - 1n, mayJump: false });
      return { status: "new", fromSeq, skipped: undefined };
    }
    if (toSeq <= position.seq) return { status: "old" };
    const expected = position.seq + 1n;
    const jumped = fromSeq > expected;
    if (jumped && !position.mayJump) return { status: "missing", expected };
    this.#moveTo(conversationId, position, toSeq);
    return {
      status: "new",
      fromSeq: fromSeq > expected ? fromSeq : expected,
      skipped: jumped ? { fromSeq: expected, toSeq: fromSeq - 1n } : undefined,
    };
  }

  /** Records an ack as the arrival of its entry, if that entry is the next one. Returns whether it was. */
  ack(conversationId: string, seq: bigint): boolean {
    const position = this.#byConversation.get(conversationId);
    if (position === undefined) {
      // The server may still send earlier entries of a conversation that is new to this link.
      if (seq !== 1n) return false;
      this.#byConversation.set(conversationId, { seq, start: 0n, mayJump: false });
      return true;
    }
    if (seq !== position.seq + 1n) return false;
    this.#moveTo(conversationId, position, seq);
    return true;
  }

  /** Whether this link has handed out the entry, or an event in place of it. */
  handedOut(conversationId: string, seq: bigint): boolean {
    const position = this.#byConversation.get(conversationId);
    return position !== undefined && seq <= position.seq && seq > position.start;
  }

  forget(conversationId: string | undefined): void {
    if (conversationId === undefined) this.#byConversation.clear();
    else this.#byConversation.delete(conversationId);
  }

  #moveTo(conversationId: string, position: LinkPosition, seq: bigint): void {
    position.seq = seq;
    position.mayJump = false;
    this.#byConversation.delete(conversationId);
    this.#byConversation.set(conversationId, position);
  }
}
