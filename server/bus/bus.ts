// How the nodes of one server notify each other. The store is the source of record, and a message may be lost, doubled,
// delayed, or arrive before an earlier one: it only makes something happen sooner, or tells what is not stored.
import type { Feature } from "../../gen/parley/chat/v1/event.ts";

/** Carries messages to the other nodes. */
export interface Bus extends AsyncDisposable {
  /** Sends the message to all other nodes that have subscribed, without waiting. Never throws. */
  publish(message: Uint8Array): void;
  /** Calls the listener with each message of another node. Resolves when the subscription is in force. */
  subscribe(listener: (message: Uint8Array) => void): Promise<Disposable>;
}

/** "user:12" concerns the streams of that user; "everyone" concerns all nodes. */
export type Topic = `user:${number}` | "everyone";

/** Entries were committed. */
export interface LookMessage {
  readonly kind: "look";
  /** The position of the newest entry that the sender has seen. */
  readonly position: number;
}

/** An event that is not stored, and that belongs to a feature that a stream may have declined. */
export interface EphemeralEvent {
  readonly kind: "ephemeral";
  readonly feature: Feature;
  /** A newer event with the same key replaces this one. An event without a key may be dropped for a slow reader. */
  readonly key: string | undefined;
  readonly piece: Uint8Array;
  /** A program whose streams do not receive the event, because it caused it. */
  readonly except?: { readonly sessionId: number; readonly processId: string } | undefined;
}

/** The store has changes of presence. */
export interface PresenceChangedMessage {
  readonly kind: "presence-changed";
}

/** A session has ended, so its streams must end, and caches must drop its token. */
export interface SessionEndedMessage {
  readonly kind: "session-ended";
  /** "ended": the user or an administrator ended it. "timed-out": no command arrived within the idle time-out. */
  readonly why: "ended" | "timed-out";
  readonly userId: number;
  readonly sessionId: number;
}

/** A program has left deliberately, so its streams must end. */
export interface ProgramLeftMessage {
  readonly kind: "program-left";
  readonly sessionId: number;
  readonly processId: string;
}

/** Users may have been removed, so caches must drop their names. */
export interface UsersChangedMessage {
  readonly kind: "users-changed";
}

export type BusMessage =
  | LookMessage
  | EphemeralEvent
  | PresenceChangedMessage
  | ProgramLeftMessage
  | SessionEndedMessage
  | UsersChangedMessage;
