// The typed events of a link.
import type { SeqRange } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type {
  Event,
  Limits,
  IntroductionClosed as WireClosed,
  IntroductionRequested as WireRequested,
} from "../../../gen/parley/chat/v1/event.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import type { LinkState } from "./link-state.ts";
import type { SendTarget, UnsentMessage } from "./send-queue.ts";

export type { LinkEnding, LinkState } from "./link-state.ts";

/** "unknown": no entry of the conversation has arrived, or this client is too old for its kind. */
export type ConversationKind = "direct" | "broadcast" | "unknown";

/** An event that carries the server's event, including fields that this version of the SDK does not know. */
export interface FromServer {
  /** The server's event. */
  readonly raw: Event;
}

/** An event about one conversation. */
export interface InConversation {
  /** The conversation's id, an opaque text. */
  readonly conversationId: string;
}

/** A range of a conversation's log, both ends included. */
export interface SeqSpan extends InConversation {
  /** The first seq. */
  readonly fromSeq: bigint;
  /** The last seq. */
  readonly toSeq: bigint;
}

/** The state of the link changed. A slow reader may receive only the last of several changes. */
export interface StateChanged {
  readonly type: "state";
  /** The new state. */
  readonly state: LinkState;
}

/** A stream is open. The event repeats after each reconnection, and `online` then replaces the earlier list. */
export interface Welcomed extends FromServer {
  readonly type: "welcome";
  /** The id of the server's data, to which cursors and devices belong. */
  readonly serverId: string;
  /** The session of the stream. */
  readonly sessionId: string;
  /** The device of the session. */
  readonly deviceId: string;
  /** The user of the session. */
  readonly user: User;
  /** The limits that the server enforces. */
  readonly limits: Limits | undefined;
  /** The server's clock. */
  readonly serverTime: Date | undefined;
  /** The broadcast conversation, which includes every user of the server. */
  readonly broadcastConversationId: string;
  /** The other users who are online, ordered by user name: the first page. */
  readonly online: readonly User[];
  /** The page token with which `Account.listUsers` lists the rest; empty if there is none. */
  readonly onlineNextPageToken: string;
}

/** The content of an entry. "unknown": this client is too old for it. Later versions may add kinds. */
export type EntryContent =
  | {
      readonly kind: "text";
      /** The text as its sender wrote it; any Unicode, so escape it before you print it to a terminal. */
      readonly text: string;
    }
  | { readonly kind: "unknown" };

/** One entry of a conversation. A link hands out each entry once, by rising seq. */
export interface EntryArrived extends FromServer, InConversation {
  readonly type: "entry";
  /** The entry's sequence number in the conversation: 1, 2, 3 … */
  readonly seq: bigint;
  /** Direct (two users) or broadcast (every user). */
  readonly kind: ConversationKind;
  /** The user who sent it. */
  readonly sender: User;
  /** The other user of a direct conversation, even if this user is the sender. */
  readonly peer: User | undefined;
  /** When the server stored it, by the server's clock. */
  readonly sendTime: Date | undefined;
  /** The content. */
  readonly content: EntryContent;
  /** This user sent it, from this or another device. */
  readonly mine: boolean;
  /** The id of the send if this link sent the entry and its `acked` event came first: do not show the message again. */
  readonly clientMessageId: bigint | undefined;
  /** The entry arrived live; false for entries of the backlog. */
  readonly live: boolean;
  /** The server's entry. */
  readonly entry: Entry;
}

/** A range of entries that this user may not see. They cannot be fetched, and the server gives no reason. */
export interface EntriesOmitted extends FromServer, SeqSpan {
  readonly type: "omitted";
}

/** A range of entries that the backlog leaves out. */
export interface EntriesSkipped extends SeqSpan {
  readonly type: "gap";
  /** `Account.listMessages` can fetch the entries; if false, they are no longer in the log. */
  readonly fillable: boolean;
  /** The server's event; undefined if the link found the gap itself. */
  readonly raw: Event | undefined;
}

/** The server has stored a message of this link. */
export interface SendAcked extends InConversation {
  readonly type: "acked";
  /** The id of the send, as `send` returned it. */
  readonly clientMessageId: bigint;
  /** The target of the send. */
  readonly target: SendTarget;
  /** The content. */
  readonly content: EntryContent;
  /** The sequence number of its entry. */
  readonly seq: bigint;
  /** When the server stored it, by the server's clock. */
  readonly sendTime: Date | undefined;
  /** An earlier attempt had stored the message, and its ack was lost. */
  readonly repeatedSend: boolean;
  /** The `entry` event of this message came before this ack. */
  readonly entryShown: boolean;
  /** For a broadcast: at least one user who is online does not receive it, because that user blocks this one. */
  readonly withheld: boolean;
}

/** A command was refused. A refused message is removed from the queue. */
export interface CommandRefused {
  readonly type: "refused";
  /** The id of the send; undefined if another command was refused. */
  readonly clientMessageId: bigint | undefined;
  /** The target of the send. */
  readonly target: SendTarget | undefined;
  /** The content of the send. */
  readonly content: EntryContent | undefined;
  /** The refusal, with its reason and the field at fault. */
  readonly error: RpcError;
  /** The server's event; undefined if the link refused the command itself. */
  readonly raw: Event | undefined;
}

/** Messages that were unsent for too long. Each waits until the program calls `release` or `drop`. */
export interface SendsHeldBack {
  readonly type: "held-back";
  /** By rising id. */
  readonly messages: readonly UnsentMessage[];
}

/**
 * The server has messages under ids of this device that this program has not used: its state is a copy of another one, or
 * was restored from a backup. The messages concerned are sent under other ids.
 */
export interface StateCopied {
  readonly type: "copied";
}

/** A user's markers rose, or arrived for the first time. */
export interface MarkersMoved extends FromServer, InConversation {
  readonly type: "markers";
  /** The user whose markers they are. */
  readonly user: User;
  /** They are this user's markers. */
  readonly mine: boolean;
  /** At least one device of the user has every visible entry up to this seq. */
  readonly deliveredSeq: bigint;
  /** The user has read every visible entry up to this seq. */
  readonly readSeq: bigint;
  /** Ranges of own entries that this user never receives, although the markers may be above them. */
  readonly undelivered: readonly SeqRange[];
}

/** Another user started or stopped typing. */
export interface TypingChanged extends FromServer {
  readonly type: "typing";
  /** The direct conversation; empty if it has no entry yet. */
  readonly conversationId: string;
  /** The other user. */
  readonly user: User;
  /** Whether the user is typing. True expires 10 s after the last event. */
  readonly typing: boolean;
}

/** Users who went online or offline, collected over a short time. The event may repeat what is already known. */
export interface PresenceChanged extends FromServer {
  readonly type: "presence";
  /** Users who are online now. */
  readonly cameOnline: readonly User[];
  /** Users who are no longer online. */
  readonly wentOffline: readonly User[];
}

/** A user requests a private chat with this device. */
export interface IntroductionRequested {
  readonly type: "introduction-requested";
  /** The request: the user, the user's device, and the time for an answer. */
  readonly introduction: WireRequested;
  /** The server's event. */
  readonly raw: Event;
}

/** A request for a private chat no longer needs an answer from this device. */
export interface IntroductionClosed {
  readonly type: "introduction-closed";
  /** The introduction and its outcome. */
  readonly closed: WireClosed;
  /** The server's event. */
  readonly raw: Event;
}

/** The backlog is complete; the events after this one are live. */
export interface CaughtUp extends FromServer {
  readonly type: "caught-up";
  /** The server's clock. */
  readonly serverTime: Date | undefined;
}

/** The server's log was replaced. The link forgot its cursors, so entries may be handed out again. */
export interface CursorsReset {
  readonly type: "reset";
  /** The conversation whose cursor was forgotten; undefined: all. */
  readonly conversationId: string | undefined;
  /** The server refused the cursor, or has other data than before. */
  readonly cause: "cursor-refused" | "server-changed";
}

/** All events of a link. Later versions may add types: ignore a type that you do not know. */
export type LinkEvent =
  | StateChanged
  | Welcomed
  | EntryArrived
  | EntriesOmitted
  | EntriesSkipped
  | SendAcked
  | CommandRefused
  | SendsHeldBack
  | StateCopied
  | MarkersMoved
  | TypingChanged
  | PresenceChanged
  | IntroductionRequested
  | IntroductionClosed
  | CaughtUp
  | CursorsReset;
