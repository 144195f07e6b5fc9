// Where a device keeps how far it has come: the interface, and one that forgets with the process.
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { ConversationKind } from "./events.ts";

/** How far this device has come in one conversation. */
export interface Position {
  /** The conversation; an id is compared and never parsed. */
  readonly conversationId: string;
  /** The newest seq that this device holds. */
  readonly seq: bigint;
  /** "unknown" where nothing from there was seen yet. */
  readonly kind: ConversationKind;
  /** In a direct conversation the other user, where known. */
  readonly peer: User | undefined;
  /** The user's own marker "delivered up to", as far as known here. */
  readonly deliveredSeq: bigint;
  /** The user's own marker "read up to", as far as known here. */
  readonly readSeq: bigint;
}

/**
 * The cursors of one device with one user's conversations. Several processes may share a store: each runs its streams
 * by its own cursors in memory, and the store keeps the highest of each, so a `raise` MUST never lower one.
 */
export interface CursorStore {
  /** All positions, the one used last first. */
  load(): Position[];
  /** Raises seqs and markers; a position that is not there is made. All in one transaction. */
  raise(positions: readonly Position[]): void;
  /** Forgets one conversation, or all: the server's log is another one than it was. */
  forget(conversationId: string | undefined): void;
}

/** For programs that start afresh each time, and for readers that must not move the device's own cursors. */
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

/** The later position, with every number at the higher of both. */
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

/** Math.max, for big integers. */
export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
