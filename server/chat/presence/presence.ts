// Which users are online. A user is online from the opening of the first stream until the last one is closed. A program
// that lost its last stream stays online for a grace period; one that left deliberately, or whose session ended, does not.
import type { Clock, Timer } from "../../../time/clock.ts";
import type { NodeBus } from "../../bus/node-bus.ts";
import type { ClientManager } from "../../client-manager.ts";
import { limits } from "../../limits.ts";
import type { NodeLease } from "../../nodes/node-lease.ts";
import type { Refusal } from "../../reasons.ts";
import type { PresenceStore, UserRow } from "../../store/store.ts";
import { DeadNodes } from "./dead-nodes.ts";
import { PresenceChanges } from "./presence-changes.ts";
import { type PresentStream, StoredStreams } from "./stored-streams.ts";

export type { PresentStream } from "./stored-streams.ts";

/** A stream whose program may come back. */
interface LostStream {
  readonly stream: PresentStream;
  /** When its grace period ends, monotonic ms. */
  readonly until: number;
  timer: Timer;
}

/** A session with a stream on this node, or in its grace period here. */
interface OnlineSession {
  readonly userId: number;
  readonly sessionId: number;
  readonly open: Set<PresentStream>;
  /** By process_id: the stream of that program that was lost last. The newest comes last. */
  readonly lost: Map<string, LostStream>;
}

/** How a stream ended: "lost" (also by a half-close), deliberately by Leave, or with its session. */
export type StreamEnd = "lost" | "left" | "session-ended";

export interface PresenceParts {
  readonly store: PresenceStore;
  readonly bus: NodeBus;
  readonly manager: Pick<ClientManager, "deliver" | "deliverToAll">;
  readonly lease: NodeLease;
  /** The head of the broadcast conversation, as far as this node has delivered it; 0 if it has delivered none. */
  readonly broadcastHead: () => number;
  /** How long a session stays online after its last stream was lost, ms; 0 for no grace period. */
  readonly graceMs: number;
  /** How many sessions of one user may be online at the same time. */
  readonly sessionsPerUser: number;
  /** Makes the refusal of a session that exceeds `sessionsPerUser`. */
  readonly tooManySessions: (most: number) => Refusal;
  /** Makes the refusal of a stream that exceeds `limits.streamsPerSession`. */
  readonly tooManyStreams: (most: number) => Refusal;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

export class Presence implements AsyncDisposable {
  readonly #parts: PresenceParts;
  readonly #streams: StoredStreams;
  readonly #changes: PresenceChanges;
  readonly #deadNodes: DeadNodes;
  readonly #sessions = new Map<number, OnlineSession>();
  readonly #subscription: Disposable;
  #isDisposed = false;
  #onSessionGone: ((userId: number, sessionId: number) => void) | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#changes = new PresenceChanges(parts);
    const onChange = (): void => this.#changes.changed();
    this.#streams = new StoredStreams({ ...parts, onChange });
    this.#deadNodes = new DeadNodes({ ...parts, onChange });
    this.#subscription = parts.bus.subscribe("everyone", (message) => {
      // A session that has ended cannot return, so its grace period ends too.
      if (message.kind === "session-ended") this.#endGrace(message.sessionId);
      if (message.kind === "program-left") this.#endProgram(message.sessionId, message.processId);
    });
  }

  /**
   * Users who were online when this node stopped stay online for the rest of a grace period from its last renewal of the
   * lease. Call it when the lease was taken.
   */
  async start(): Promise<void> {
    await this.#changes.start();
    await this.#deadNodes.sweep();
  }

  /** The number of the user's sessions that are online, including those in their grace period. */
  onlineSessions(userId: number): Promise<number> {
    const { store, lease, clock } = this.#parts;
    return store.onlineSessions(lease.epoch, userId, clock.now());
  }

  /** Sets the one listener that is called with each session that stops being online on this node. */
  onSessionGone(listener: (userId: number, sessionId: number) => void): void {
    this.#onSessionGone = listener;
  }

  /**
   * Call it when a stream of the session opens. Resolves when the store has recorded that the user is online.
   * @throws Refusal TOO_MANY_SESSIONS, TOO_MANY_STREAMS; StoreUnavailableError
   */
  async enter(user: UserRow, sessionId: number, processId: string): Promise<PresentStream> {
    const { sessionsPerUser, tooManySessions, tooManyStreams } = this.#parts;
    const most = { sessions: sessionsPerUser, streams: limits.streamsPerSession };
    const stream = this.#streams.make(user, sessionId, processId);
    const session = this.#session(user.userId, sessionId);
    // The session counts as online from now on, and the grace period of the program waits for the result.
    session.open.add(stream);
    session.lost.get(processId)?.timer[Symbol.dispose]();
    let isOnline = false;
    try {
      const status = await this.#streams.open(stream, most);
      isOnline = status === "online";
      if (status === "too-many-sessions") throw tooManySessions(most.sessions);
      if (status === "too-many-streams") throw tooManyStreams(most.streams);
      return stream;
    } finally {
      const lost = session.lost.get(processId);
      if (lost !== undefined && isOnline) this.#close(session, lost.stream);
      else if (lost !== undefined) this.#startGrace(session, lost.stream, lost.until);
      if (!isOnline) this.#close(session, stream);
    }
  }

  /**
   * Call it when a stream for which `enter` has resolved has ended. A stream that ends after the disposal changes
   * nothing: its user stays online, like all who were online when the server stopped.
   */
  leave(stream: PresentStream, how: StreamEnd): void {
    const session = this.#sessions.get(stream.sessionId);
    if (this.#isDisposed || session === undefined) return;
    const earlier = session.lost.get(stream.processId);
    if (earlier !== undefined && how !== "session-ended") this.#close(session, earlier.stream);
    if (how === "lost" && this.#parts.graceMs > 0) this.#lose(session, stream);
    else this.#close(session, stream);
    if (how === "session-ended") this.#endGrace(stream.sessionId);
  }

  /**
   * Ends the grace period, on all nodes, of a program that left deliberately after its last stream had ended. Resolves
   * when the store has recorded it. @throws StoreUnavailableError
   */
  async leaveProgram(userId: number, sessionId: number, processId: string): Promise<void> {
    this.#endProgram(sessionId, processId);
    await this.#streams.leave(userId, sessionId, processId);
  }

  /** Call it when a block was stored or removed. Tells the other user at once what that user may see of the blocker. */
  async blockChanged(): Promise<void> {
    await this.#changes.deliverNow();
  }

  /** Leaves the streams of this node in the store, until its lease has been over for a grace period. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#subscription[Symbol.dispose]();
    for (const { lost } of this.#sessions.values()) {
      for (const { timer } of lost.values()) timer[Symbol.dispose]();
    }
    await this.#deadNodes[Symbol.asyncDispose]();
    await this.#streams[Symbol.asyncDispose]();
    await this.#changes[Symbol.asyncDispose]();
  }

  #session(userId: number, sessionId: number): OnlineSession {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      session = { userId, sessionId, open: new Set(), lost: new Map() };
      this.#sessions.set(sessionId, session);
    }
    return session;
  }

  #lose(session: OnlineSession, stream: PresentStream): void {
    session.open.delete(stream);
    this.#streams.lose(stream);
    this.#startGrace(session, stream, this.#parts.clock.monotonic() + this.#parts.graceMs);
    const [oldest] = session.lost.values();
    if (session.lost.size > limits.leavingPrograms && oldest !== undefined)
      this.#close(session, oldest.stream);
  }

  #startGrace(session: OnlineSession, stream: PresentStream, until: number): void {
    if (this.#isDisposed) return;
    const { clock } = this.#parts;
    const ms = Math.max(0, until - clock.monotonic());
    const timer = clock.after(ms, () => this.#close(session, stream));
    session.lost.set(stream.processId, { stream, until, timer });
  }

  /** Ends the grace periods of a session that has ended, unless it still has a stream here. */
  #endGrace(sessionId: number): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.open.size > 0) return;
    for (const { stream } of [...session.lost.values()]) this.#close(session, stream);
  }

  /** Ends the grace period of a program. */
  #endProgram(sessionId: number, processId: string): void {
    const session = this.#sessions.get(sessionId);
    const lost = session?.lost.get(processId);
    if (session !== undefined && lost !== undefined) this.#close(session, lost.stream);
  }

  /** Removes a stream, open or lost. */
  #close(session: OnlineSession, stream: PresentStream): void {
    session.open.delete(stream);
    const lost = session.lost.get(stream.processId);
    if (lost?.stream === stream) {
      lost.timer[Symbol.dispose]();
      session.lost.delete(stream.processId);
    }
    this.#streams.close(stream);
    if (session.open.size > 0 || session.lost.size > 0 || !this.#sessions.delete(session.sessionId)) return;
    this.#onSessionGone?.(session.userId, session.sessionId);
  }
}
