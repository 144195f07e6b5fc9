// How nodes wake each other: topics, best effort, at most once. The store is the truth; a lost message costs time only.
import type { Feature } from "../../gen/parley/chat/v1/event.ts";

/** "user:12" reaches the nodes that hold a stream of that user, "everyone" all nodes. */
export type Topic = `user:${number}` | "everyone";

export type BusMessage =
  /** An entry was stored. `event` is the encoded Event, the same for every reader. */
  | {
      kind: "entry";
      conversationId: number;
      seq: number;
      event: Uint8Array;
      /** On the node that stored it: who sent it (see NewEntry.origin). Never leaves the process. */
      origin?: object | undefined;
      /** For that origin: what it gets at the entry's place instead, the encoded Ack event. */
      ack?: Uint8Array | undefined;
    }
  /** Something passing happened: an encoded Event of a family that a stream may have declined. */
  | { kind: "passing"; feature: Feature; event: Uint8Array; exceptUserId?: number | undefined }
  /** A session is over; its streams end. */
  | { kind: "session-ended"; sessionId: number };

export interface Bus extends AsyncDisposable {
  /** Hands the message to every present subscriber of the topic, on this node before it returns, in order. Never throws. */
  publish(topic: Topic, message: BusMessage): void;
  subscribe(topic: Topic, listener: (message: BusMessage) => void): Disposable;
}
