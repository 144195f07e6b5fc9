// The interface behind which the truth is kept, and what every implementation promises.
//
// A store MUST:
//  1. resolve a write only after it is committed and synced; reject it with StoreUnavailableError otherwise, and then
//     the caller must assume nothing (a retry with the same client message id settles it);
//  2. number the entries of a conversation 1, 2, 3 … inside the transaction that stores them, in the order in which
//     `append` was called;
//  3. call `onAppended` synchronously once per committed group, with the group's entries in order, before any promise
//     of that group resolves;
//  4. never let a read show an entry that `onAppended` has not announced before;
//  5. keep memory bounded: reads answer at most `limit` rows, writes waiting for a commit are bounded by the callers.
//
// All times are milliseconds since 1970 by the server's clock. All ids are positive safe integers, never reused.

import type { AccountStore, LogInStore, UserRow } from "./account-store.ts";
import type { IdentityStore } from "./identity-store.ts";

export type * from "./account-store.ts";
export type * from "./identity-store.ts";

export interface Store extends AsyncDisposable {
  /** Random id made with the data; cursors and devices belong to it. */
  readonly serverId: string;
  /** The one conversation of kind broadcast. */
  readonly broadcastId: number;
  readonly accounts: AccountStore;
  readonly log: LogStore;
  readonly presence: PresenceStore;
  readonly blocks: BlockStore;
  readonly logIns: LogInStore;
  readonly identities: IdentityStore;
  /** Calls back, within a second, after another process changed the data (users or invites; never the log). */
  onExternalChange(listener: () => void): void;
}

/** The store cannot commit or read now: disk full, I/O error, closed. Nothing was acked. */
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}

// ---- the conversation log

export type ConversationKind = "direct" | "broadcast";

/** Where an entry goes: the direct conversation with a user, made if need be, or a conversation by id. */
export type AppendTarget = { peerId: number } | { conversationId: number };

export interface NewEntry {
  readonly senderId: number;
  readonly deviceId: number;
  /** 1 to 2^64-1; with the device it identifies the send for as long as the entry exists. */
  readonly clientMessageId: bigint;
  readonly target: AppendTarget;
  /** The encoded Content, kept byte for byte. */
  readonly content: Uint8Array;
  readonly time: number;
  /** Not stored; handed back in the announcement, for the caller to know its own. */
  readonly origin?: object | undefined;
}

/** An entry as it stands in the log. */
export interface StoredEntry {
  readonly conversationId: number;
  readonly seq: number;
  readonly kind: ConversationKind;
  readonly senderId: number;
  /** The other user of a direct conversation. */
  readonly recipientId: number | undefined;
  readonly time: number;
  readonly content: Uint8Array;
}

export interface AppendedEntry extends StoredEntry {
  readonly clientMessageId: bigint;
  /** Of a broadcast: the users who block its author, and never see it. */
  readonly hiddenFrom: readonly number[];
  readonly withheld: boolean;
  readonly origin: object | undefined;
}

export type AppendResult =
  /**
   * `repeated`: the same device, client message id, target and content were stored before; this is that entry.
   * `withheld`: a broadcast, and somebody who was online then blocked its author.
   */
  | {
      status: "stored" | "repeated";
      conversationId: number;
      seq: number;
      time: number;
      withheld: boolean;
    }
  /** The id was used by this device for another target or content. */
  | { status: "id-reused" }
  /** No such user (never was, or removed). */
  | { status: "no-user" }
  /** No such conversation, or the sender is not in it. */
  | { status: "no-conversation" }
  /** The recipient of a direct entry blocks the sender. */
  | { status: "blocked" };

export interface MarkerSeqs {
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

export interface ConversationRow {
  readonly conversationId: number;
  readonly kind: ConversationKind;
  readonly headSeq: number;
  readonly peer: UserRow | undefined;
  readonly markers: MarkerSeqs;
  /** The other user's in a direct conversation, as far as they may be shown: they stand still while one blocks the other. */
  readonly peerMarkers: MarkerSeqs | undefined;
  /** The user's entries that are hidden from the peer: the newest 100 ranges, rising. */
  readonly undelivered: readonly SeqRange[];
}

export interface NewMarkers extends MarkerSeqs {
  readonly conversationId: number;
}

export type MarkersResult =
  /** What is stored now; `rose` is false where nothing changed. */
  | {
      status: "ok";
      conversationId: number;
      rose: boolean;
      markers: MarkerSeqs;
      kind: ConversationKind;
      /** Who else may be told: the other user of a direct conversation, unless one of the two blocks the other. */
      peerId: number | undefined;
      /** What of the peer's is hidden from the user, as in ConversationRow. */
      undelivered: readonly SeqRange[];
    }
  | { status: "no-conversation"; conversationId: number }
  /** A marker was beyond the head; nothing changed. */
  | { status: "beyond-head"; conversationId: number; headSeq: number };

/** A closed range of seq. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

export interface LogStore {
  append(entry: NewEntry): Promise<AppendResult>;
  /** The one listener that hears of every committed entry (see the promises above). */
  onAppended(listener: (entries: readonly AppendedEntry[]) => void): void;
  /**
   * Raises markers; one result per marker, in order. A read marker raises the delivered one too; a value below the
   * stored one leaves it. Joined with the next group of appends; on its own it commits within 200 ms.
   */
  raiseMarkers(userId: number, markers: readonly NewMarkers[]): Promise<MarkersResult[]>;
  /** The user's conversations with id above `afterId`, by rising id; the broadcast one is everybody's. */
  conversations(userId: number, afterId: number, limit: number): Promise<ConversationRow[]>;
  /** The heads of these conversations, in order; undefined where there is none or the user is not in it. */
  heads(userId: number, conversationIds: readonly number[]): Promise<(number | undefined)[]>;
  /** One conversation as the user sees it; undefined where there is none or the user is not in it. */
  conversation(userId: number, conversationId: number): Promise<ConversationRow | undefined>;
  /** The direct conversation of two users, as the first sees it. */
  directConversation(userId: number, peerId: number): Promise<ConversationRow | undefined>;
  /** The rows that exist with from <= seq <= to, by rising seq: the lowest `limit` of them, or the highest if `newest`. */
  entries(
    conversationId: number,
    from: number,
    to: number,
    limit: number,
    newest?: boolean,
  ): Promise<StoredEntry[]>;
  /**
   * The parts of from … to that the user may see, by rising seq, joined where they touch. Of broadcasts those from when
   * the user was online, and the user's own; of any conversation nothing that a block has hidden (see BlockStore).
   * Looks at every entry of the range where something is hidden: ask for bounded ranges.
   */
  visibleRanges(userId: number, conversationId: number, from: number, to: number): Promise<SeqRange[]>;
}

// ---- presence: intervals of time, and of broadcast seq, during which a user was online

export interface PresenceRow {
  readonly user: UserRow;
  readonly online: boolean;
  /** When last online; now, if online. */
  readonly lastOnlineTime: number;
}

export interface PresenceStore {
  /** Opens an interval from now and from the next broadcast seq; keeps the one that is open. */
  open(userId: number, time: number): Promise<void>;
  /** Closes the open interval, if there is one, at this time and at the broadcast head. */
  close(userId: number, time: number): Promise<void>;
  /** Says that every open interval lasts at least until now: where they end if the process dies. */
  heartbeat(time: number): Promise<void>;
  /** The users whose interval is open, and the last heartbeat (0 if there never was one). */
  openIntervals(): Promise<{ heartbeat: number; userIds: number[] }>;
  /**
   * Users other than `askingId`, and who do not block that one, with an interval that is open or ended at or after
   * `since`, by user name in code point order, those with a name above `afterName`; at most `limit`. Removed users are
   * left out.
   */
  list(
    since: number,
    now: number,
    askingId: number,
    afterName: string,
    limit: number,
  ): Promise<PresenceRow[]>;
}

// ---- blocks

export interface BlockRow {
  readonly user: UserRow;
  readonly createTime: number;
}

/** Who stands again where both may see each other's markers; undefined where another block still stands between them. */
export interface UnblockedConversation {
  readonly conversationId: number;
  readonly blockerMarkers: MarkerSeqs;
  readonly blockedMarkers: MarkerSeqs;
  /** What of the blocked one's is hidden from the blocker, and the other way round. */
  readonly hiddenFromBlocker: readonly SeqRange[];
  readonly hiddenFromBlocked: readonly SeqRange[];
}

export type UnblockResult =
  | { status: "unblocked"; conversation: UnblockedConversation | undefined }
  | { status: "not-blocked" };

/**
 * A block hides, for the blocker and for ever: the broadcasts of the blocked one that are stored while it stands, and of
 * the direct conversation of the two what the blocked one wrote above the blocker's delivered marker.
 */
export interface BlockStore {
  block(
    blockerId: number,
    blockedId: number,
    time: number,
  ): Promise<"blocked" | "already-blocked" | "no-user">;
  unblock(blockerId: number, blockedId: number): Promise<UnblockResult>;
  /** Whom the user blocks, by user name in code point order, above `afterName`. Removed users are left out. */
  listBlocks(blockerId: number, afterName: string, limit: number): Promise<BlockRow[]>;
  /** Whether the first blocks the second; the other way round does not count. */
  isBlocking(blockerId: number, blockedId: number): Promise<boolean>;
  /** Whether one of the two blocks the other. */
  isBetween(userId: number, otherId: number): Promise<boolean>;
  /** Who is blocked by any of these users: pairs of blocker and blocked, in any order. */
  blockedBy(blockerIds: readonly number[]): Promise<(readonly [blockerId: number, blockedId: number])[]>;
}
