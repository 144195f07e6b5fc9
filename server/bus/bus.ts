// How nodes notify each other: messages by topic, delivered at most once. The store is the source of record, so a lost
// message only delays what it announces.
import type { Feature } from "../../gen/parley/chat/v1/event.ts";

/** "user:12" reaches the nodes with a stream of that user; "everyone" reaches all nodes. */
export type Topic = `user:${number}` | "everyone";

/** An entry was stored. */
export interface EntryMessage {
  readonly kind: "entry";
  readonly conversationId: number;
  readonly seq: number;
  /** The event, encoded as a list element of a frame. It is the same for every reader. */
  readonly piece: Uint8Array;
  /** The users who block the author. The entry is omitted for them. */
  readonly hiddenFrom: ReadonlySet<number>;
  /** The stream that sent the entry; set on the node that stored it, and never sent to another process. */
  readonly origin?: object | undefined;
  /** The encoded Ack, which that stream receives in place of the entry; never sent to another process. */
  readonly ack?: Uint8Array | undefined;
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

export type BusMessage =
  | EntryMessage
  | EphemeralEvent
  | PresenceChangedMessage
  | ProgramLeftMessage
  | SessionEndedMessage;

export interface Bus extends AsyncDisposable {
  /**
   * Sends the message to all present subscribers of the topic, in the order of the calls. Subscribers on this node have
   * received it when the method returns. Never throws; a listener must not throw.
   */
  publish(topic: Topic, message: BusMessage): void;
  subscribe(topic: Topic, listener: (message: BusMessage) => void): Disposable;
}
