// The interface of the store, which is the server's source of record, and what every implementation promises.
//
// A store MUST:
//  1. resolve a write only after it is committed and synced. Otherwise it rejects the write with StoreUnavailableError;
//     the caller then does not know whether the write is stored, and a retry with the same client message id is safe;
//  2. number the entries of a conversation 1, 2, 3 … inside the transaction that stores them, in the order in which
//     `append` was called;
//  3. announce each commit once to each follower, in the order of the commits, without a gap; a commit of this process
//     before any of its promises resolves, unless the follower is behind;
//  4. return from a read only entries that were announced before, to followers that are not behind;
//  5. keep memory bounded: a read returns at most `limit` rows. The callers bound the writes that wait for a commit.
//
// All times are milliseconds since 1970 by the server's clock. All ids are positive safe integers, never reused.

import type { UserRow } from "./account-store.ts";
import type { IdentityStore } from "./identity-store.ts";
import type { NodeStore } from "./node-store.ts";
import type { PresenceStore } from "./presence-store.ts";
import type { AccountStores } from "./store-engine.ts";

export type * from "./account-store.ts";
export type * from "./admin-store.ts";
export type * from "./identity-store.ts";
export type { Attempt, LockTerms, LogInFailures } from "./lock-terms.ts";
export type * from "./node-store.ts";
export type * from "./presence-store.ts";
export type { AccountStores } from "./store-engine.ts";

export interface Store extends AccountStores {
  /** A random id, made when the data is created. Cursors and devices are valid only with this id. */
  readonly serverId: string;
  /** The id of the one conversation of kind broadcast. */
  readonly broadcastId: number;
  readonly log: LogStore;
  readonly nodes: NodeStore;
  readonly presence: PresenceStore;
  readonly blocks: BlockStore;
  readonly identities: IdentityStore;
  /**
   * Calls the listener within a second after another process changed users or invites. No other process writes to the
   * log.
   */
  onExternalChange(listener: () => void): void;
  /** Calls the listener with each problem of the files that an operator must know. The listener must not throw. */
  onProblem(listener: (problem: StoreProblem) => void): void;
}

export interface StoreProblem {
  /** `damaged`: something that was stored cannot be read. `unwritable`: a file beside the data cannot be written. */
  readonly kind: "damaged" | "unwritable";
  /** Names the file. For the operator only. */
  readonly message: string;
}

/** The store cannot commit or read now: the disk is full, an I/O error occurred, or the store is closed. */
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}

/** What was asked for cannot be read or written, because its part of the data is damaged. Other parts may be whole. */
export class StoreDamagedError extends Error {
  override name = "StoreDamagedError";
}

// ---- the conversation log

export type ConversationKind = "direct" | "broadcast";

/** The conversation to append to: the direct one with a user, which is created if missing, or the one with an id. */
export type AppendTarget = { peerId: number } | { conversationId: number };

export interface NewEntry {
  readonly senderId: number;
  readonly deviceId: number;
  /** 1 to 2^64-1. Together with the device it identifies the send as long as the entry exists. */
  readonly clientMessageId: bigint;
  readonly target: AppendTarget;
  /** The encoded Content, stored byte for byte. */
  readonly content: Uint8Array;
  /** The number of the field of Content that is set; 0 for a kind that this server does not know. */
  readonly kind: number;
  readonly time: number;
}

/** An entry of the log. */
export interface StoredEntry {
  readonly conversationId: number;
  readonly seq: number;
  readonly kind: ConversationKind;
  readonly senderId: number;
  /** The other user of a direct conversation; undefined in the broadcast one. */
  readonly recipientId: number | undefined;
  readonly time: number;
  readonly content: Uint8Array;
}

/** An entry with what its announcement says besides. */
export interface CommittedEntry extends StoredEntry {
  readonly deviceId: number;
  readonly clientMessageId: bigint;
  /** The users from whom blocks hide a broadcast, so that they never see it. */
  readonly hiddenFrom: readonly number[];
  /** As in AppendResult. */
  readonly withheld: boolean;
  /** Whether this process has appended it since it opened the store. */
  readonly isOwn: boolean;
}

/** Consecutive entries of the log: those of one commit, or of several that were read at once. */
export interface CommittedGroup {
  /** The position of the first entry. Positions count the entries of all conversations from 1, in the order of commits. */
  readonly from: number;
  /** The position of the last entry. */
  readonly to: number;
  /** In the order of their positions. Entries that cannot be read, because they are damaged, are left out. */
  readonly entries: readonly CommittedEntry[];
}

/** The state of a follower of the log. */
export interface Following extends Disposable {
  /** The position up to which the log was announced. */
  readonly position: number;
  /**
   * Reads what was committed since, by any process, and announces it. Resolves when everything is announced that was
   * committed before the call. Rejects if the store cannot be read; what was not announced is announced later.
   */
  look(): Promise<void>;
}

/**
 * Takes a group. It must not throw or reject. If it returns a promise, the next group is announced when that has
 * resolved.
 */
export type Follower = (group: CommittedGroup) => void | Promise<void>;

export type AppendResult =
  /**
   * `repeated`: an earlier send with the same device, client message id, target and content was stored; this is its
   * entry. `withheld`: the entry is a broadcast, and at least one user blocked its author at that time.
   */
  | {
      status: "stored" | "repeated";
      conversationId: number;
      seq: number;
      time: number;
      withheld: boolean;
    }
  /** This device used the client message id for another target or content. */
  | { status: "id-reused" }
  /** No such user: unknown, or removed. */
  | { status: "no-user" }
  /** No such conversation, or the sender is not in it. */
  | { status: "no-conversation" }
  /** The recipient of a direct entry blocks the sender. */
  | { status: "blocked" };

export interface MarkerSeqs {
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

/** Markers, and when each of them last rose; 0 if that is not known. */
export interface StoredMarkers extends MarkerSeqs {
  readonly deliveredTime: number;
  readonly readTime: number;
}

export interface ConversationRow {
  readonly conversationId: number;
  readonly kind: ConversationKind;
  readonly headSeq: number;
  readonly peer: UserRow | undefined;
  readonly markers: StoredMarkers;
  /** The other user's markers in a direct conversation, as this user may see them: frozen during a block. */
  readonly peerMarkers: StoredMarkers | undefined;
  /** The user's entries that are hidden from the peer: the newest 100 ranges, in ascending order. */
  readonly undelivered: readonly SeqRange[];
}

export interface NewMarkers extends MarkerSeqs {
  readonly conversationId: number;
}

export type MarkersResult =
  /** `markers`: the stored values. `rose`: whether one of them changed. */
  | {
      status: "ok";
      conversationId: number;
      rose: boolean;
      markers: StoredMarkers;
      kind: ConversationKind;
      /** The other user of a direct conversation, who may see the markers; undefined while one blocks the other. */
      peerId: number | undefined;
      /** The peer's entries that are hidden from the user, as in ConversationRow. */
      undelivered: readonly SeqRange[];
    }
  | { status: "no-conversation"; conversationId: number }
  /** A marker was above the head. Nothing changed. */
  | { status: "beyond-head"; conversationId: number; headSeq: number };

/** A range of seq that includes both ends. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

export interface LogStore {
  append(entry: NewEntry): Promise<AppendResult>;
  /**
   * Announces every group that is committed after this call, by any process. Resolves when that is in force. Commits of
   * this process are announced by themselves, those of others when the caller looks.
   */
  follow(follower: Follower): Promise<Following>;
  /**
   * The entries after this position: at most `limit`, and fewer if their contents would exceed `maxBytes`, but at least
   * one. Undefined if there is none.
   */
  since(position: number, limit: number, maxBytes: number): Promise<CommittedGroup | undefined>;
  /**
   * Raises markers at this time, and returns one result per marker, in order. A read marker also raises the delivered marker. A
   * value below the stored one changes nothing. The write joins the next group of appends; alone it commits within
   * 200 ms.
   */
  raiseMarkers(userId: number, markers: readonly NewMarkers[], time: number): Promise<MarkersResult[]>;
  /**
   * The user's conversations with a conversation id above `afterId`, in ascending order. All users are in the broadcast
   * one.
   */
  conversations(userId: number, afterId: number, limit: number): Promise<ConversationRow[]>;
  /** The heads of these conversations, in order; undefined for one that does not exist or that the user is not in. */
  heads(userId: number, conversationIds: readonly number[]): Promise<(number | undefined)[]>;
  /** A conversation as the user sees it; undefined if it does not exist or the user is not in it. */
  conversation(userId: number, conversationId: number): Promise<ConversationRow | undefined>;
  /**
   * The seq of the first entry that was stored at this time or later; above the head if there is none. If the times of
   * the entries do not rise with their seqs, it is the seq of an entry at which they pass the time.
   */
  seqAt(conversationId: number, time: number): Promise<number>;
  /** The direct conversation of two users, as the first one sees it; undefined if there is none. */
  directConversation(userId: number, peerId: number): Promise<ConversationRow | undefined>;
  /**
   * The entries with from <= seq <= to, in ascending order: the lowest `limit` of them, or the highest if `newest` is
   * set. There are fewer if their contents would exceed `maxBytes`, but at least one.
   */
  entries(
    conversationId: number,
    from: number,
    to: number,
    limit: number,
    newest?: boolean,
    maxBytes?: number,
  ): Promise<StoredEntry[]>;
  /**
   * The parts of from … to that the user may see, in ascending order, merged where they touch. A user sees the
   * broadcasts that were stored while the user was online, and the user's own. Entries that a block has hidden (see
   * BlockStore) are left out. If there are any, the cost grows with the length of the range, which the caller must
   * bound.
   */
  visibleRanges(userId: number, conversationId: number, from: number, to: number): Promise<SeqRange[]>;
}

// ---- blocks

export interface BlockRow {
  readonly user: UserRow;
  readonly createTime: number;
}

/** The direct conversation of two users who may see each other's markers again. */
export interface UnblockedConversation {
  readonly conversationId: number;
  readonly blockerMarkers: StoredMarkers;
  readonly blockedMarkers: StoredMarkers;
  /** The entries of the blocked user that are hidden from the blocker. */
  readonly hiddenFromBlocker: readonly SeqRange[];
  /** The entries of the blocker that are hidden from the blocked user. */
  readonly hiddenFromBlocked: readonly SeqRange[];
}

export type UnblockResult =
  /** `conversation` is undefined if the two have none, or if one of them still blocks the other. */
  { status: "unblocked"; conversation: UnblockedConversation | undefined } | { status: "not-blocked" };

/**
 * A block hides entries of the blocked user from the blocker, permanently: the broadcasts that are stored during the
 * block, and the entries of their direct conversation above the blocker's delivered marker.
 */
export interface BlockStore {
  block(
    blockerId: number,
    blockedId: number,
    time: number,
  ): Promise<"blocked" | "already-blocked" | "no-user">;
  unblock(blockerId: number, blockedId: number): Promise<UnblockResult>;
  /**
   * The users with a name above `afterName` whom this user blocks, by name in code point order. Removed users are left
   * out.
   */
  listBlocks(blockerId: number, afterName: string, limit: number): Promise<BlockRow[]>;
  /** Whether the first user blocks the second. */
  isBlocking(blockerId: number, blockedId: number): Promise<boolean>;
  /** Whether at least one of the two users blocks the other. */
  isBetween(userId: number, otherId: number): Promise<boolean>;
}
