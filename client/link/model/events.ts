// What a link tells its reader: the typed events.
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

/** "unknown" is one that this client is too old for, or of which nothing was seen yet. */
export type ConversationKind = "direct" | "broadcast" | "unknown";

/** Carries the server's event, with all that this version of the SDK does not know. */
export interface FromServer {
  /** The event as it came. */
  readonly raw: Event;
}

/** About one conversation. */
export interface InConversation {
  /** The conversation; an id is compared and never parsed. */
  readonly conversationId: string;
}

/** A range of a log, both ends included. */
export interface SeqSpan extends InConversation {
  /** The first seq. */
  readonly fromSeq: bigint;
  /** The last seq. */
  readonly toSeq: bigint;
}

/** The link went on, or has ended. A reader who is behind gets the last state of several. */
export interface StateChanged {
  readonly type: "state";
  /** Where the link is now. */
  readonly state: LinkState;
}

/** A stream opened. It comes again after every reconnection; `online` is then the whole truth anew. */
export interface Welcomed extends FromServer {
  readonly type: "welcome";
  /** Names the server's data: cursors and device belong to it. */
  readonly serverId: string;
  /** The session that holds the stream. */
  readonly sessionId: string;
  /** The device that the session belongs to. */
  readonly deviceId: string;
  /** Who is logged in. */
  readonly user: User;
  /** The bounds that this server enforces. */
  readonly limits: Limits | undefined;
  /** The server's clock. */
  readonly serverTime: Date | undefined;
  /** The conversation of everyone on this server. */
  readonly broadcastConversationId: string;
  /** Who else is online: the first page, ordered by user name. */
  readonly online: readonly User[];
  /** Where more are online, `Account.listUsers` goes on from it; else empty. */
  readonly onlineNextPageToken: string;
}

/** What an entry says. Unknown is "something that this client is too old for"; later versions may know more kinds. */
export type EntryContent =
  | {
      readonly kind: "text";
      /** As it was written, any Unicode: make it safe before you show it on a terminal. */
      readonly text: string;
    }
  | { readonly kind: "unknown" };

/** One entry of a log. Each is handed out once in a link's life, in the order of seq. */
export interface EntryArrived extends FromServer, InConversation {
  readonly type: "entry";
  /** Its number in the conversation: 1, 2, 3 … */
  readonly seq: bigint;
  /** Between two users, or to everyone. */
  readonly kind: ConversationKind;
  /** Who wrote it. */
  readonly sender: User;
  /** In a direct conversation the other user, whoever of the two wrote. */
  readonly peer: User | undefined;
  /** When the server stored it, by its clock. */
  readonly sendTime: Date | undefined;
  /** What it says. */
  readonly content: EntryContent;
  /** The user wrote it, on this or another device. */
  readonly mine: boolean;
  /** Set where it is a send of this link that an `acked` event told of before: an echo not to be shown twice. */
  readonly clientMessageId: bigint | undefined;
  /** It happened now; false for what was missed. */
  readonly live: boolean;
  /** The entry as it came. */
  readonly entry: Entry;
}

/** Entries which this user may not see; there is nothing to fetch, and no reason is known. */
export interface EntriesOmitted extends FromServer, SeqSpan {
  readonly type: "omitted";
}

/** Entries that were left out of what was missed. */
export interface EntriesSkipped extends SeqSpan {
  readonly type: "gap";
  /** `Account.listMessages` has them; else they are no longer in the log. */
  readonly fillable: boolean;
  /** The event as it came; undefined where the link itself found the gap. */
  readonly raw: Event | undefined;
}

/** A send of this link is stored. */
export interface SendAcked extends InConversation {
  readonly type: "acked";
  /** The send's id, as `send` gave it. */
  readonly clientMessageId: bigint;
  /** Where it went. */
  readonly target: SendTarget;
  /** What it says. */
  readonly content: EntryContent;
  /** Its number in the conversation. */
  readonly seq: bigint;
  /** When the server stored it, by its clock. */
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
  /** The send's id; undefined where it was no send. */
  readonly clientMessageId: bigint | undefined;
  /** Where it was to go. */
  readonly target: SendTarget | undefined;
  /** What it says. */
  readonly content: EntryContent | undefined;
  /** Why, with the reason and the field at fault. */
  readonly error: RpcError;
  /** The event as it came; undefined where the link itself refused it. */
  readonly raw: Event | undefined;
}

/** Messages that are too old to go by themselves: release or drop each. */
export interface SendsHeldBack {
  readonly type: "held-back";
  /** By rising id. */
  readonly messages: readonly UnsentMessage[];
}

/** A user's markers rose, or are told for the first time. */
export interface MarkersMoved extends FromServer, InConversation {
  readonly type: "markers";
  /** Whose markers they are. */
  readonly user: User;
  /** They are those of the user who is logged in. */
  readonly mine: boolean;
  /** At least one device of that user holds every visible entry up to this seq. */
  readonly deliveredSeq: bigint;
  /** That user has seen every visible entry up to this seq. */
  readonly readSeq: bigint;
  /** Entries of the reader that this user will never get, whatever the markers say. */
  readonly undelivered: readonly SeqRange[];
}

/** Someone began or ceased to type. */
export interface TypingChanged extends FromServer {
  readonly type: "typing";
  /** The direct conversation; empty where nothing has been said yet. */
  readonly conversationId: string;
  /** Who types. */
  readonly user: User;
  /** Lapses after 10 s without another. */
  readonly typing: boolean;
}

/** Who is online and who is not, joined over a short time. It may tell what is known already. */
export interface PresenceChanged extends FromServer {
  readonly type: "presence";
  /** Users who are online now. */
  readonly cameOnline: readonly User[];
  /** Users who are not online any more. */
  readonly wentOffline: readonly User[];
}

/** Somebody asks this device for a private chat. */
export interface IntroductionRequested {
  readonly type: "introduction-requested";
  /** The question: who asks, with which device, and how long an answer is waited for. */
  readonly introduction: WireRequested;
  /** The event of the wire. */
  readonly raw: Event;
}

/** An introduction needs no answer from this device any more. */
export interface IntroductionClosed {
  readonly type: "introduction-closed";
  /** Which introduction, and what became of it. */
  readonly closed: WireClosed;
  /** The event of the wire. */
  readonly raw: Event;
}

/** What was missed has been handed out; what follows is live. */
export interface CaughtUp extends FromServer {
  readonly type: "caught-up";
  /** The server's clock. */
  readonly serverTime: Date | undefined;
}

/** The server's log is not the one that was read before: the cursors were forgotten, and entries may come again. */
export interface CursorsReset {
  readonly type: "reset";
  /** The conversation whose cursor was forgotten; undefined: all of them. */
  readonly conversationId: string | undefined;
  /** The server refused a cursor, or has other data than before. */
  readonly cause: "cursor-refused" | "server-changed";
}

/** Everything that a link tells. Later versions may tell more: pass over a type that you do not know. */
export type LinkEvent =
  | StateChanged
  | Welcomed
  | EntryArrived
  | EntriesOmitted
  | EntriesSkipped
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
