// What private chats tell their reader.
import type { IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import type { EndReason, LineContent } from "../conversation/private-conversation.ts";
import type { KeyCheck, KeyProblem, PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";

/** Somebody asks for a private chat: `PrivateChats.answer` answers. */
export interface ChatRequested {
  readonly type: "requested";
  /** The other user. */
  readonly username: string;
  /** Who asks allows a direct path. */
  readonly direct: boolean;
  /** The other device, as its keys say. */
  readonly peer: PeerKeys;
  /** What these keys mean by what is remembered of the user. */
  readonly keyCheck: KeyCheck;
  /** How long an answer is waited for, ms. */
  readonly timeoutMs: number;
}

/** It needs no answer any more. */
export interface RequestClosed {
  readonly type: "request-closed";
  /** The other user. */
  readonly username: string;
  /** What became of the question. */
  readonly outcome: IntroductionOutcome;
  /** The device that answered, where one did; may be empty. */
  readonly deviceName: string;
}

/** The other user's devices are being asked. */
export interface RequestWaiting {
  readonly type: "waiting";
  /** The other user. */
  readonly username: string;
  /** How many devices are asked. */
  readonly devices: number;
  /** How long they have for an answer, ms. */
  readonly timeoutMs: number;
}

/** No chat came about. */
export interface ChatFailed {
  readonly type: "failed";
  /** The other user. */
  readonly username: string;
  /** An RpcError where the server or the peer refused, a ConnectError where no path led there, or a KeyProblemError. */
  readonly error: Error;
  /** What was to be said, and was not. */
  readonly queued: readonly string[];
}

/** A chat is open: both ends may speak. */
export interface ChatOpened {
  readonly type: "opened";
  /** The other user. */
  readonly username: string;
  /** Which way it goes. */
  readonly path: Path;
  /** This end asked. */
  readonly startedHere: boolean;
  /** The other device, as its keys say. */
  readonly peer: PeerKeys;
  /** Where it has a problem, the person is to be told. */
  readonly keyCheck: KeyCheck;
}

/** Something was said. */
export interface LineEvent {
  readonly type: "line";
  /** The other user. */
  readonly username: string;
  /** It was said at this end. */
  readonly mine: boolean;
  /** In its direction, from 1. */
  readonly number: bigint;
  /** When it was entered, by the speaker's clock; undefined where that was not said. */
  readonly time: Date | undefined;
  /** What was said. */
  readonly content: LineContent;
}

/** How far the other end is with the own lines. */
export interface MarksMoved {
  readonly type: "marks";
  /** The other user. */
  readonly username: string;
  /** The other device has every own line up to this number. */
  readonly received: bigint;
  /** The person there has seen every own line up to this number. */
  readonly read: bigint;
}

/** The other one types, or has ceased to. */
export interface PeerTyping {
  readonly type: "typing";
  /** The other user. */
  readonly username: string;
  /** Whether the other one types now; lapses after 10 s without another. */
  readonly typing: boolean;
}

/** The other one says no more lines. */
export interface PeerFinished {
  readonly type: "finished";
  /** The other user. */
  readonly username: string;
}

/** Why a chat is over. */
export type ChatEndReason =
  | EndReason
  /** A person has verified another key meanwhile, or does not accept the device: nothing is said before that is accepted. */
  | {
      readonly kind: "keys";
      /** What is not as expected of the other's keys. */
      readonly problem: KeyProblem;
    };

/** A chat is over. */
export interface ChatEnded {
  readonly type: "ended";
  /** The other user. */
  readonly username: string;
  /** Why it is over. */
  readonly how: ChatEndReason;
  /** Own lines that the other device is not known to have, in order. */
  readonly undelivered: readonly string[];
}

/** What was said to one user, and came to nothing since everything was closed. */
export interface UndeliveredLines {
  /** The other user. */
  readonly username: string;
  /** Texts that were held until the chat was open, and not said. */
  readonly queued: readonly string[];
  /** Texts that were said, and that the other device is not known to have. */
  readonly undelivered: readonly string[];
}

/** Something beside the chats failed, such as a report to the server. */
export interface BackgroundError {
  readonly type: "background-error";
  /** What failed. */
  readonly error: Error;
}

/** All that private chats tell, by `type`. A later version may add types. */
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
