// The events of private chats.
import type { IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import type { LineContent } from "../conversation/line-rules.ts";
import type { EndReason } from "../conversation/private-conversation.ts";
import type { KeyCheck, KeyProblem, PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";

/** A user requests a private chat. Answer with `PrivateChats.answer`. */
export interface ChatRequested {
  readonly type: "requested";
  /** The other user. */
  readonly username: string;
  /** The other user allows a direct path. */
  readonly direct: boolean;
  /** The keys of the other device. */
  readonly peer: PeerKeys;
  /** The result of checking these keys against the stored ones. */
  readonly keyCheck: KeyCheck;
  /** The time for an answer, ms. */
  readonly timeoutMs: number;
}

/** A request no longer needs an answer. */
export interface RequestClosed {
  readonly type: "request-closed";
  /** The other user. */
  readonly username: string;
  /** The outcome of the request. */
  readonly outcome: IntroductionOutcome;
  /** The name of the user's device that answered, if one did; may be empty. */
  readonly deviceName: string;
}

/** The server has asked the other user's devices. */
export interface RequestWaiting {
  readonly type: "waiting";
  /** The other user. */
  readonly username: string;
  /** The number of devices that were asked. */
  readonly devices: number;
  /** The time for an answer, ms. */
  readonly timeoutMs: number;
}

/** A requested or accepted chat did not open. */
export interface ChatFailed {
  readonly type: "failed";
  /** The other user. */
  readonly username: string;
  /** An RpcError if the server or the peer refused, a ConnectError if no path worked, or a KeyProblemError. */
  readonly error: Error;
  /** The queued lines, which were not sent. */
  readonly queued: readonly string[];
}

/** A chat is open: both users can send lines. */
export interface ChatOpened {
  readonly type: "opened";
  /** The other user. */
  readonly username: string;
  /** The path of the connection. */
  readonly path: Path;
  /** This device requested the chat. */
  readonly outgoing: boolean;
  /** The keys of the other device. */
  readonly peer: PeerKeys;
  /** The result of checking these keys; show a problem to the person. */
  readonly keyCheck: KeyCheck;
  /**
   * Own lines wait until `acceptKeys`: a known contact uses another key than before, or an unsigned device that is new to
   * this device.
   */
  readonly holds: boolean;
}

/** A line was sent or received. */
export interface LineEvent {
  readonly type: "line";
  /** The other user. */
  readonly username: string;
  /** This device sent the line. */
  readonly mine: boolean;
  /** The number of the line in its direction, from 1. */
  readonly number: bigint;
  /** When the line was written, by its sender's clock; undefined if the peer sent no time. */
  readonly time: Date | undefined;
  /** The content. */
  readonly content: LineContent;
}

/** The peer has received or read more of this side's lines. */
export interface MarksMoved {
  readonly type: "marks";
  /** The other user. */
  readonly username: string;
  /** The other device has every own line up to this number. */
  readonly received: bigint;
  /** The other user has read every own line up to this number. */
  readonly read: bigint;
}

/** The other user started or stopped typing. */
export interface PeerTyping {
  readonly type: "typing";
  /** The other user. */
  readonly username: string;
  /** Whether the user is typing. True expires 10 s after the last event. */
  readonly typing: boolean;
}

/** The other user will send no more lines. */
export interface PeerFinished {
  readonly type: "finished";
  /** The other user. */
  readonly username: string;
}

/** Why a chat ended. */
export type ChatEndReason =
  | EndReason
  /** A person verified another key, or has not accepted the device: the keys of the chat have to be accepted first. */
  | {
      readonly kind: "keys";
      /** What is wrong with the other user's keys. */
      readonly problem: KeyProblem;
    };

/** A chat has ended. */
export interface ChatEnded {
  readonly type: "ended";
  /** The other user. */
  readonly username: string;
  /** Why it ended. */
  readonly how: ChatEndReason;
  /** Own lines whose arrival the other device has not confirmed, in order. */
  readonly undelivered: readonly string[];
  /** Own lines that were not sent, in order: the chat ended before, or its keys were not accepted. */
  readonly notSent: readonly string[];
}

/** The lines to one user that did not arrive before `close`. */
export interface UndeliveredLines {
  /** The other user. */
  readonly username: string;
  /** Queued lines of a chat that did not open, or whose keys were not accepted. */
  readonly queued: readonly string[];
  /** Sent lines whose arrival the other device has not confirmed. */
  readonly undelivered: readonly string[];
}

/** A background task failed, such as a report to the server. */
export interface BackgroundError {
  readonly type: "background-error";
  /** The error. */
  readonly error: Error;
}

/** All events of private chats, by `type`. Later versions may add types: ignore a type that you do not know. */
export type PrivateEvent =
  | ChatRequested
  | RequestClosed
  | RequestWaiting
  | ChatFailed
  | ChatOpened
  | LineEvent
  | MarksMoved
  | PeerTyping
  | PeerFinished
  | ChatEnded
  | BackgroundError;
