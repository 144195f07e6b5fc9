// The connected clients of this node: finds the streams of a user or a session, delivers messages of the bus to them,
// and ends them with their session, as well as other long calls. It contains no chat rules.
import { Reason } from "../gen/parley/chat/v1/reason.ts";
import type { EphemeralEvent } from "./bus/bus.ts";
import type { NodeBus } from "./bus/node-bus.ts";
import { limits } from "./limits.ts";
import { Refusal } from "./reasons.ts";
import type { UserRow } from "./store/store.ts";

/** A committed entry, encoded for all its readers. */
export interface EntryMessage {
  readonly kind: "entry";
  readonly conversationId: number;
  readonly seq: number;
  /** The event, encoded as a list element of a frame. It is the same for every reader. */
  readonly piece: Uint8Array;
  /** The users who block the author. The entry is omitted for them. */
  readonly hiddenFrom: ReadonlySet<number>;
  /** The stream of this node that sent the entry, if it was one. */
  readonly ackStream: object | undefined;
  /** The encoded Ack, which that stream receives in place of the entry. */
  readonly ack: Uint8Array | undefined;
}

/** Users came online or went offline. */
export interface PresenceMessage {
  readonly kind: "presence";
  readonly cameOnline: readonly UserRow[];
  readonly wentOffline: readonly UserRow[];
  /** By user id of a reader: the users who block that reader, whose presence the reader must not see. */
  readonly hidden: ReadonlyMap<number, ReadonlySet<number>>;
}

/** What a stream receives. */
export type StreamMessage = EntryMessage | EphemeralEvent | PresenceMessage;

export interface ConnectedStream {
  readonly userId: number;
  readonly sessionId: number;
  /** The bytes that wait to be sent on the stream. */
  readonly queuedBytes: number;
  /** Delivers a message. It must not block or throw. */
  deliver(message: StreamMessage): void;
  /** Ends the stream with this status. */
  end(ending: Refusal): void;
}

/** A long call that receives no events. */
export interface HeldCall {
  readonly userId: number;
  readonly sessionId: number;
  end(ending: Refusal): void;
}

interface ConnectedUser {
  readonly streams: Set<ConnectedStream>;
  readonly subscription: Disposable;
}

/** The refusal of a stream that exceeds the number that a session may have. */
export function tooManyStreams(most: number): Refusal {
  // A stream whose connection is lost counts until the server notices the loss, so a later attempt can succeed.
  const retryDelayMs = limits.tooManyStreamsRetryMs;
  return new Refusal(Reason.TOO_MANY_STREAMS, { retryDelayMs, facts: { maximum: most } });
}

export class ClientManager implements Disposable {
  readonly #bus: NodeBus;
  readonly #users = new Map<number, ConnectedUser>();
  readonly #sessions = new Map<number, Set<ConnectedStream>>();
  readonly #held = new Map<number, Set<HeldCall>>();
  readonly #everyone: Disposable;
  #onSessionAway: ((userId: number, sessionId: number) => void) | undefined;
  #closing: Refusal | undefined;

  constructor(bus: NodeBus) {
    this.#bus = bus;
    this.#everyone = bus.subscribe("everyone", (message) => {
      if (message.kind === "session-ended") {
        const reason = message.why === "timed-out" ? Reason.SESSION_TIMED_OUT : Reason.SESSION_ENDED;
        this.endSession(message.sessionId, new Refusal(reason));
        if (!this.isConnected(message.sessionId)) this.#onSessionAway?.(message.userId, message.sessionId);
        return;
      }
      if (message.kind === "ephemeral") this.deliverToAll(message);
    });
  }

  /** Delivers the message to all streams of this node. */
  deliverToAll(message: StreamMessage): void {
    for (const user of this.#users.values()) {
      for (const stream of user.streams) stream.deliver(message);
    }
  }

  /** Delivers the message to the streams of the user on this node. */
  deliver(userId: number, message: StreamMessage): void {
    for (const stream of this.#users.get(userId)?.streams ?? []) stream.deliver(message);
  }

  /**
   * Delivers the user's messages to the stream until the result is disposed of.
   * @throws Refusal TOO_MANY_STREAMS, or SERVER_STOPPING after endAll.
   */
  attach(stream: ConnectedStream): Disposable {
    if (this.#closing !== undefined) throw this.#closing;
    const ofSession = this.#sessions.get(stream.sessionId) ?? new Set();
    if (ofSession.size >= limits.streamsPerSession) {
      // The streams of all nodes are counted in the store. This check keeps those that wait for the store few.
      throw tooManyStreams(limits.streamsPerSession);
    }
    ofSession.add(stream);
    this.#sessions.set(stream.sessionId, ofSession);
    const user = this.#users.get(stream.userId) ?? this.#connectUser(stream.userId);
    user.streams.add(stream);
    return { [Symbol.dispose]: () => this.#detach(stream) };
  }

  /**
   * Makes the call end with its session, until the result is disposed of.
   * @throws Refusal SERVER_STOPPING after endAll
   */
  hold(call: HeldCall): Disposable {
    if (this.#closing !== undefined) throw this.#closing;
    const ofSession = this.#held.get(call.sessionId) ?? new Set();
    ofSession.add(call);
    this.#held.set(call.sessionId, ofSession);
    return {
      [Symbol.dispose]: () => {
        ofSession.delete(call);
        if (ofSession.size === 0 && this.#held.get(call.sessionId) === ofSession) {
          this.#held.delete(call.sessionId);
        }
      },
    };
  }

  /**
   * Sets the only listener, which is called when the last stream of a session on this node has ended, and when a
   * session ends that has no stream.
   */
  onSessionAway(listener: (userId: number, sessionId: number) => void): void {
    this.#onSessionAway = listener;
  }

  /** Whether the session has a stream on this node. */
  isConnected(sessionId: number): boolean {
    return this.#sessions.has(sessionId);
  }

  /** The sessions with a stream or another long call on this node: user id by session id. */
  connectedSessions(): Map<number, number> {
    const userIds = new Map<number, number>();
    for (const bySession of [this.#sessions, this.#held]) {
      for (const [sessionId, calls] of bySession) {
        for (const { userId } of calls) userIds.set(sessionId, userId);
      }
    }
    return userIds;
  }

  /** The streams and users that are connected to this node, and the bytes that wait for them. */
  get counts(): { streams: number; users: number; queuedBytes: number } {
    let streams = 0;
    let queuedBytes = 0;
    for (const user of this.#users.values()) {
      streams += user.streams.size;
      for (const stream of user.streams) queuedBytes += stream.queuedBytes;
    }
    return { streams, users: this.#users.size, queuedBytes };
  }

  endSession(sessionId: number, ending: Refusal): void {
    for (const bySession of [this.#sessions, this.#held]) {
      for (const call of [...(bySession.get(sessionId) ?? [])]) call.end(ending);
    }
  }

  /** Ends all streams and other long calls, and refuses new ones. */
  endAll(ending: Refusal): void {
    this.#closing = ending;
    for (const calls of [...this.#sessions.values(), ...this.#held.values()]) {
      for (const call of [...calls]) call.end(ending);
    }
  }

  [Symbol.dispose](): void {
    this.#everyone[Symbol.dispose]();
    for (const user of this.#users.values()) user.subscription[Symbol.dispose]();
    this.#users.clear();
    this.#sessions.clear();
    this.#held.clear();
  }

  #connectUser(userId: number): ConnectedUser {
    const streams = new Set<ConnectedStream>();
    const subscription = this.#bus.subscribe(`user:${userId}`, (message) => {
      if (message.kind !== "ephemeral") return;
      for (const stream of streams) stream.deliver(message);
    });
    const user = { streams, subscription };
    this.#users.set(userId, user);
    return user;
  }

  #detach(stream: ConnectedStream): void {
    const ofSession = this.#sessions.get(stream.sessionId);
    ofSession?.delete(stream);
    if (ofSession?.size === 0) {
      this.#sessions.delete(stream.sessionId);
      this.#onSessionAway?.(stream.userId, stream.sessionId);
    }
    const user = this.#users.get(stream.userId);
    user?.streams.delete(stream);
    if (user?.streams.size === 0) {
      user.subscription[Symbol.dispose]();
      this.#users.delete(stream.userId);
    }
  }
}
