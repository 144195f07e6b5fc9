// How nodes wake each other: topics, best effort, at most once. The store is the truth; a lost message costs time only.
import type { Feature } from "../../gen/parley/chat/v1/event.ts";
import type { UserRow } from "../store/store.ts";

/** "user:12" reaches the nodes that hold a stream of that user, "everyone" all nodes. */
export type Topic = `user:${number}` | "everyone";

/** An entry was stored. */
export interface EntryMessage {
  readonly kind: "entry";
  readonly conversationId: number;
  readonly seq: number;
  /** The encoded list element of the event, the same for every reader. */
  readonly piece: Uint8Array;
  /** Users for whom the entry is omitted: they block its author. */
  readonly hiddenFrom: ReadonlySet<number>;
  /** On the node that stored it: which stream sent it. Never leaves the process. */
  readonly origin?: object | undefined;
  /** What that stream gets at the entry's place: the encoded Ack. Never leaves the process. */
  readonly ack?: Uint8Array | undefined;
}

/** Something passing happened, of a family of events that a stream may have declined. */
export interface EphemeralEvent {
  readonly kind: "ephemeral";
  readonly feature: Feature;
  /** Of events with the same key only the newest counts; without one, a reader who is behind can do without. */
  readonly key: string | undefined;
  readonly piece: Uint8Array;
  /** A program whose streams are not told: it knows. */
  readonly except?: { readonly sessionId: number; readonly processId: string } | undefined;
}

/** Users came or went. */
export interface PresenceMessage {
  readonly kind: "presence";
  readonly cameOnline: readonly UserRow[];
  readonly wentOffline: readonly UserRow[];
  /** By user id of a reader, those of them of whom that reader must not hear: they block the reader. */
  readonly hidden: ReadonlyMap<number, ReadonlySet<number>>;
}

/** A session is over: its streams end, and nobody may go on believing in its token. */
export interface SessionEndedMessage {
  readonly kind: "session-ended";
  /** A person, or an administrator, ended it; or no command came for too long. */
  readonly why: "ended" | "timed-out";
  readonly userId: number;
  readonly sessionId: number;
}

export type BusMessage = EntryMessage | EphemeralEvent | PresenceMessage | SessionEndedMessage;

export interface Bus extends AsyncDisposable {
  /**
   * Hands the message to every present subscriber of the topic, on this node before it returns, in the order of the
   * calls. Never throws; a listener must not throw.
   */
  publish(topic: Topic, message: BusMessage): void;
  subscribe(topic: Topic, listener: (message: BusMessage) => void): Disposable;
}
