// The interface of stores for a device's cursors, and a store in memory.
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { ConversationKind } from "./events.ts";

/** The position of this device in one conversation. */
export interface Position {
  /** The conversation's id, an opaque text. */
  readonly conversationId: string;
  /** The newest seq that this device has. */
  readonly seq: bigint;
  /** "unknown" until an entry of the conversation has arrived. */
  readonly kind: ConversationKind;
  /** The other user of a direct conversation, if known. */
  readonly peer: User | undefined;
  /** The user's own delivered marker, as this device knows it. */
  readonly deliveredSeq: bigint;
  /** The user's own read marker, as this device knows it. */
  readonly readSeq: bigint;
}

/**
 * The cursors of one device in one user's conversations. Several processes may share a store. Each process keeps
 * its own cursors in memory for its streams; the store keeps the highest values, so `raise` MUST never lower one.
 */
export interface CursorStore {
  /** All positions; the most recently used one comes first. */
  load(): Position[];
  /** Raises seqs and markers, and adds missing positions, in one transaction. */
  raise(positions: readonly Position[]): void;
  /** Removes the position of one conversation, or all of them; called when the server's log was replaced. */
  forget(conversationId: string | undefined): void;
}

/** Cursors in memory, for programs that keep no state and for readers that must not move the device's cursors. */
export class MemoryCursors implements CursorStore {
  readonly #positions = new Map<string, Position>();

  load(): Position[] {
    return [...this.#positions.values()].reverse();
  }

  raise(positions: readonly Position[]): void {
    for (const position of positions) {
      const merged = higher(this.#positions.get(position.conversationId), position);
      this.#positions.delete(position.conversationId);
      this.#positions.set(position.conversationId, merged);
    }
  }

  forget(conversationId: string | undefined): void {
    if (conversationId === undefined) this.#positions.clear();
    else this.#positions.delete(conversationId);
  }
}

/** Merges two positions of one conversation: takes the higher value of each number. */
export function higher(before: Position | undefined, now: Position): Position {
  if (before === undefined) return now;
  return {
    conversationId: now.conversationId,
    seq: max(before.seq, now.seq),
    kind: now.kind === "unknown" ? before.kind : now.kind,
    peer: now.peer ?? before.peer,
    deliveredSeq: max(before.deliveredSeq, now.deliveredSeq),
    readSeq: max(before.readSeq, now.readSeq),
  };
}

/** `Math.max` for bigint. */
export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
