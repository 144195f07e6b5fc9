// What private chats tell their reader.
import type { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import type { Judgement, PeerKeys } from "./contacts.ts";
import type { Ended, LineContent } from "./conversation.ts";
import type { Path } from "./reach.ts";

/** Somebody asks for a private chat: `PrivateChats.answer` answers. */
export interface ChatAsked {
  readonly type: "asked";
  readonly username: string;
  /** Who asks allows a direct path. */
  readonly direct: boolean;
  readonly peer: PeerKeys;
  readonly judgement: Judgement;
  /** How long an answer is waited for, ms. */
  readonly timeoutMs: number;
}

/** It needs no answer any more. */
export interface AskingClosed {
  readonly type: "asking-closed";
  readonly username: string;
  readonly outcome: IntroductionOutcome;
  /** The device that answered, where one did; may be empty. */
  readonly deviceName: string;
}

/** The other user's devices are being asked. */
export interface Waiting {
  readonly type: "waiting";
  readonly username: string;
  readonly devices: number;
  readonly timeoutMs: number;
}

/** No chat came about. */
export interface ChatFailed {
  readonly type: "failed";
  readonly username: string;
  /** An RpcError where the server or the peer refused, a ConnectError where no path led there, or a KeyProblemError. */
  readonly error: Error;
  /** What was to be said, and was not. */
  readonly held: readonly string[];
}

export interface ChatOpened {
  readonly type: "opened";
  readonly username: string;
  readonly path: Path;
  /** This end asked. */
  readonly startedHere: boolean;
  readonly peer: PeerKeys;
  /** Where it has a problem, the person is to be told. */
  readonly judgement: Judgement;
}

/** Something was said. */
export interface LineSaid {
  readonly type: "line";
  readonly username: string;
  readonly mine: boolean;
  /** In its direction, from 1. */
  readonly number: bigint;
  readonly time: Date | undefined;
  readonly content: LineContent;
}

/** How far the other end is with the own lines. */
export interface MarksMoved {
  readonly type: "marks";
  readonly username: string;
  readonly received: bigint;
  readonly read: bigint;
}

export interface TypingHeard {
  readonly type: "typing";
  readonly username: string;
  readonly typing: boolean;
}

export interface ChatEnded extends Ended {
  readonly type: "ended";
  readonly username: string;
}

/** Something beside the chats failed, such as a report to the server. */
export interface Trouble {
  readonly type: "trouble";
  readonly error: Error;
}

export type PrivateEvent =
  | ChatAsked
  | AskingClosed
  | Waiting
  | ChatFailed
  | ChatOpened
  | LineSaid
  | MarksMoved
  | TypingHeard
  | ChatEnded
  | Trouble;
