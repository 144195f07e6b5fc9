// What a link tells its reader: the typed events, the states, and how a link ends.
import type { SeqRange } from "../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../gen/parley/chat/v1/entry.ts";
import type {
  Event,
  Limits,
  IntroductionClosed as WireClosed,
  IntroductionRequested as WireRequested,
} from "../../gen/parley/chat/v1/event.ts";
import type { User } from "../../gen/parley/chat/v1/user.ts";
import type { ConnectError } from "../../rpc/dial.ts";
import type { RpcError } from "../../rpc/status.ts";
import type { SendTarget, UnsentMessage } from "./send-queue.ts";

export type ConversationKind = "direct" | "broadcast" | "unknown";

/**
 * connecting → catching-up → live, and from each of them to waiting and back to connecting, until it has ended.
 * `attempt` counts from 1 since the link was last live.
 */
export type LinkState =
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "catching-up" }
  | { readonly phase: "live" }
  | { readonly phase: "waiting"; readonly retryTime: Date; readonly cause: Error }
  | { readonly phase: "ended"; readonly ending: LinkEnding };

export type LinkEnding =
  /** It was disposed of. */
  | { readonly kind: "closed" }
  /** The session is over: log in, and open a new link. */
  | { readonly kind: "not-logged-in"; readonly cause: RpcError }
  /** The server is not the one that it was, or cannot prove it. A person has to decide. */
  | { readonly kind: "not-trusted"; readonly cause: ConnectError }
  /** The server said "stay away". */
  | { readonly kind: "refused"; readonly cause: RpcError }
  /** Something failed on this side, such as the disk. */
  | { readonly kind: "failed"; readonly cause: Error };

export interface StateChanged {
  readonly type: "state";
  readonly state: LinkState;
}

/** A stream opened. It comes again after every reconnection; `online` is then the whole truth anew. */
export interface Welcomed {
  readonly type: "welcome";
  readonly serverId: string;
  readonly sessionId: string;
  readonly deviceId: string;
  readonly user: User;
  readonly limits: Limits | undefined;
  readonly serverTime: Date | undefined;
  readonly broadcastConversationId: string;
  /** Who else is online: the first page, ordered by user name. */
  readonly online: readonly User[];
  /** Where more are online, `Account.listUsers` goes on from it; else empty. */
  readonly onlineNextPageToken: string;
  readonly raw: Event;
}

export type EntryContent = { readonly kind: "text"; readonly text: string } | { readonly kind: "unknown" };

/** One entry of a log. Each is handed out once in a link's life, in the order of seq. */
export interface EntryArrived {
  readonly type: "entry";
  readonly conversationId: string;
  readonly seq: bigint;
  readonly kind: ConversationKind;
  readonly sender: User;
  /** In a direct conversation the other user, whoever of the two wrote. */
  readonly peer: User | undefined;
  readonly sendTime: Date | undefined;
  /** Unknown is "something that this client is too old for". */
  readonly content: EntryContent;
  /** The user wrote it, on this or another device. */
  readonly mine: boolean;
  /** Set where it is a send of this link that an `acked` event told of before: an echo not to be shown twice. */
  readonly clientMessageId: bigint | undefined;
  /** It happened now; false for what was missed. */
  readonly live: boolean;
  readonly entry: Entry;
  readonly raw: Event;
}

/** Entries which this user may not see; there is nothing to fetch, and no reason is known. */
export interface EntriesOmitted {
  readonly type: "omitted";
  readonly conversationId: string;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
  readonly raw: Event;
}

/** Entries that were left out of what was missed. */
export interface EntriesLeftOut {
  readonly type: "gap";
  readonly conversationId: string;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
  /** `Account.listMessages` has them; else they are no longer in the log. */
  readonly fillable: boolean;
  /** Undefined where the link itself found the gap. */
  readonly raw: Event | undefined;
}

/** A send of this link is stored. */
export interface SendAcked {
  readonly type: "acked";
  readonly clientMessageId: bigint;
  readonly target: SendTarget;
  readonly content: EntryContent;
  readonly conversationId: string;
  readonly seq: bigint;
  readonly sendTime: Date | undefined;
  /** It had been stored before, by an attempt whose ack was lost. */
  readonly repeatedSend: boolean;
  /** An `entry` event showed it before this ack came. */
  readonly entryShown: boolean;
  /** Of a broadcast: somebody who was online does not get it, having blocked this user. */
  readonly withheld: boolean;
}

/** A command was refused for good. A refused send is forgotten. */
export interface CommandRefused {
  readonly type: "refused";
  /** Undefined where it was no send. */
  readonly clientMessageId: bigint | undefined;
  readonly target: SendTarget | undefined;
  readonly content: EntryContent | undefined;
  readonly error: RpcError;
  readonly raw: Event | undefined;
}

/** Messages that are too old to go by themselves: release or drop each. */
export interface SendsHeldBack {
  readonly type: "held-back";
  readonly messages: readonly UnsentMessage[];
}

export interface MarkersMoved {
  readonly type: "markers";
  readonly conversationId: string;
  readonly user: User;
  readonly mine: boolean;
  readonly deliveredSeq: bigint;
  readonly readSeq: bigint;
  /** Entries of the reader that this user will never get, whatever the markers say. */
  readonly undelivered: readonly SeqRange[];
  readonly raw: Event;
}

export interface TypingChanged {
  readonly type: "typing";
  /** Empty where nothing has been said yet. */
  readonly conversationId: string;
  readonly user: User;
  /** Lapses after 10 s without another. */
  readonly typing: boolean;
  readonly raw: Event;
}

export interface PresenceChanged {
  readonly type: "presence";
  readonly cameOnline: readonly User[];
  readonly wentOffline: readonly User[];
  readonly raw: Event;
}

/** Somebody asks this device for a private chat. */
export interface IntroductionRequested {
  readonly type: "introduction-requested";
  readonly introduction: WireRequested;
  readonly raw: Event;
}

/** An introduction needs no answer from this device any more. */
export interface IntroductionClosed {
  readonly type: "introduction-closed";
  readonly closed: WireClosed;
  readonly raw: Event;
}

/** What was missed has been handed out; what follows is live. */
export interface CaughtUp {
  readonly type: "caught-up";
  readonly serverTime: Date | undefined;
  readonly raw: Event;
}

/** The server's log is not the one that was read before: the cursors were forgotten, and entries may come again. */
export interface CursorsReset {
  readonly type: "reset";
  /** Undefined: all of them. */
  readonly conversationId: string | undefined;
  readonly cause: "cursor-refused" | "server-changed";
}

export type LinkEvent =
  | StateChanged
  | Welcomed
  | EntryArrived
  | EntriesOmitted
  | EntriesLeftOut
  | SendAcked
  | CommandRefused
  | SendsHeldBack
  | MarkersMoved
  | TypingChanged
  | PresenceChanged
  | IntroductionRequested
  | IntroductionClosed
  | CaughtUp
  | CursorsReset;
