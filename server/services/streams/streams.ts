// Serves a Connect or Follow stream: checks its Hello, sends its events, and keeps its user online until it ends.
import type { Cursor, Hello } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { CallContext } from "../../../rpc/calls/handler.ts";
import type { Outbox } from "../../../rpc/calls/outbox.ts";
import type { Clock } from "../../../time/clock.ts";
import { waitFor } from "../../../time/wait.ts";
import { describeClient } from "../../auth/client-description.ts";
import type { Identities } from "../../auth/identities.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import { toUser } from "../../auth/user-messages.ts";
import type { NodeBus } from "../../bus/node-bus.ts";
import { Backlog } from "../../chat/backlog.ts";
import type { ConversationLog } from "../../chat/conversation-log.ts";
import { encodeEvent } from "../../chat/encoding.ts";
import { Feed } from "../../chat/feed.ts";
import { toSeq } from "../../chat/markers.ts";
import type { Presence, StreamEnd } from "../../chat/presence/presence.ts";
import type { ClientManager } from "../../client-manager.ts";
import { formatId, parseId } from "../../ids.ts";
import { limits } from "../../limits.ts";
import type { Introductions } from "../../private/introductions.ts";
import { Refusal } from "../../reasons.ts";
import type { Store } from "../../store/store.ts";
import type { Gate } from "../calls/gate.ts";
import { type LimitOptions, toLimits } from "../calls/wire-limits.ts";
import { listUsers } from "../directory-service.ts";
import { selectFeatures } from "./features.ts";
import { readProcessId } from "./process-id.ts";

export interface StreamsParts {
  readonly bus: NodeBus;
  readonly gate: Gate;
  readonly store: Store;
  readonly log: ConversationLog;
  readonly manager: ClientManager;
  readonly presence: Presence;
  readonly identities: Identities;
  readonly introductions: Introductions;
  readonly limits: LimitOptions;
  readonly clock: Clock;
}

/** A Hello costs one token, and one more for each 100 cursors. */
const CURSORS_PER_TOKEN = 100;
/** How long a stream that ends waits for the answers to commands that are in progress, ms. */
const LAST_ANSWERS_MS = 1_000;

/** How the work on a stream ended: the client half-closed it, or left deliberately. */
export type WorkEnd = "half-closed" | "left";

interface RunningStream {
  readonly processId: string;
  /** Ends the stream with OK, as the command Leave does. */
  readonly leave: () => void;
  /** Resolves when the user's presence by this stream has ended. */
  readonly done: Promise<void>;
}

export class Streams implements Disposable {
  readonly #parts: StreamsParts;
  /** By session. */
  readonly #running = new Map<number, Set<RunningStream>>();
  readonly #subscription: Disposable;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe("everyone", (message) => {
      if (message.kind === "program-left") this.#end(message.sessionId, message.processId);
    });
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  /**
   * Serves a stream from its Hello until it ends. Returns if the client half-closed it, or left.
   * @param work runs after Welcome; the stream ends with OK when it resolves. When its signal is aborted, it must resolve
   * as soon as the commands in progress are answered.
   * @throws the ending if the server ends the stream
   */
  async serve(
    session: ActiveSession,
    hello: Hello | undefined,
    outbox: Outbox,
    call: CallContext,
    work: (feed: Feed, signal: AbortSignal) => Promise<WorkEnd>,
  ): Promise<void> {
    const { store, log, manager, presence, gate, identities, introductions, clock } = this.#parts;
    const { user, sessionId } = session.row;
    describeClient(hello?.client, "hello.client");
    const processId = readProcessId(hello?.processId ?? "", "hello.process_id");
    const features = selectFeatures(hello?.features ?? []);
    const cursors = readCursors(hello?.cursors ?? []);
    const wait = session.bucket.take(1 + cursors.size / CURSORS_PER_TOKEN);
    if (wait > 0) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: wait });

    const wantsIntroductions = features.has(Feature.INTRODUCTIONS);
    if (wantsIntroductions) await identities.ownDevice(session.row.deviceId);

    const backlog = new Backlog(store.log, log, user, features.has(Feature.MARKERS));
    const endingOf = (error: unknown) => gate.failures.ending(error, call.method);
    const feed = new Feed({ user, sessionId, processId, features, outbox, backlog, clock, endingOf });
    using _attached = manager.attach(feed);
    await backlog.check(cursors);
    // Check again: the session may have ended before `attach`, when the manager could not yet end the stream.
    await gate.authenticate(call);
    const present = await presence.enter(user, sessionId, processId);
    const stop = new AbortController();
    const left = Promise.withResolvers<WorkEnd>();
    const done = Promise.withResolvers<void>();
    using _running = this.#run(sessionId, {
      processId,
      leave: () => left.resolve("left"),
      done: done.promise,
    });
    let ending: Refusal | WorkEnd | undefined;
    try {
      const welcome = await this.#welcome(session, features);
      // Pending introductions are held until the stream is live, so they are sent after CaughtUp.
      using _subscription = wantsIntroductions
        ? introductions.subscribe(feed, session.row, processId)
        : undefined;
      const opening = feed.open(welcome, cursors, () => encodeCaughtUp(clock.now()));
      const working = work(feed, AbortSignal.any([stop.signal, call.signal]));
      // A client that has half-closed the stream still receives its whole backlog; one that left does not.
      const closed = Promise.race([working, left.promise]).then(async (how) => {
        if (how === "half-closed") await opening;
        return how;
      });
      ending = await Promise.race([feed.ended, closed, opening.then(() => feed.ended)]);
      stop.abort();
      await waitFor(working, { ms: LAST_ANSWERS_MS });
      if (ending instanceof Refusal) throw ending;
    } finally {
      stop.abort();
      feed.end(new Refusal(Reason.CANCELLED));
      presence.leave(present, streamEnd(ending));
      if (ending === "left") introductions.programLeft(user.userId, { sessionId, processId });
      done.resolve();
    }
  }

  /**
   * Ends the streams of a program that leaves deliberately, and its presence without the grace period. Resolves when the
   * others see the user offline, unless the user is online by another program.
   */
  async leave({ row }: ActiveSession, processId: string): Promise<void> {
    const { bus, presence, introductions } = this.#parts;
    const { user, sessionId } = row;
    await Promise.all(this.#end(sessionId, processId).map((stream) => stream.done));
    // It may have streams on other nodes. If the message is lost, they end when their connections do.
    bus.publish("everyone", { kind: "program-left", sessionId, processId });
    introductions.programLeft(user.userId, { sessionId, processId });
    await presence.leaveProgram(user.userId, sessionId, processId);
  }

  /** Ends the streams of the program on this node. */
  #end(sessionId: number, processId: string): RunningStream[] {
    const own = [...(this.#running.get(sessionId) ?? [])].filter((stream) => stream.processId === processId);
    for (const stream of own) stream.leave();
    return own;
  }

  #run(sessionId: number, stream: RunningStream): Disposable {
    const ofSession = this.#running.get(sessionId) ?? new Set();
    this.#running.set(sessionId, ofSession.add(stream));
    return {
      [Symbol.dispose]: () => {
        ofSession.delete(stream);
        if (ofSession.size === 0) this.#running.delete(sessionId);
      },
    };
  }

  async #welcome({ row }: ActiveSession, features: ReadonlySet<Feature>): Promise<Uint8Array> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    const online = features.has(Feature.PRESENCE)
      ? await listUsers(
          { onlineWithin: undefined, pageSize: 0, pageToken: "" },
          row.user,
          store.presence,
          now,
        )
      : { users: [], nextPageToken: "" };
    return encodeEvent({
      kind: {
        $case: "welcome",
        value: {
          serverId: store.serverId,
          sessionId: formatId("session", row.sessionId),
          deviceId: formatId("device", row.deviceId),
          user: toUser(row.user),
          limits: toLimits(this.#parts.limits),
          features: [...features],
          serverTime: new Date(now),
          broadcastConversationId: formatId("conversation", store.broadcastId),
          online: online.users.flatMap((presence) => presence.user ?? []),
          onlineNextPageToken: online.nextPageToken,
        },
      },
    });
  }
}

function streamEnd(ending: Refusal | WorkEnd | undefined): StreamEnd {
  if (ending === "left") return "left";
  const reason = ending instanceof Refusal ? ending.reason : undefined;
  return reason === Reason.SESSION_ENDED || reason === Reason.SESSION_TIMED_OUT ? "session-ended" : "lost";
}

function encodeCaughtUp(now: number): Uint8Array {
  return encodeEvent({ kind: { $case: "caughtUp", value: { serverTime: new Date(now) } } });
}

function readCursors(cursors: readonly Cursor[]): Map<number, number> {
  if (cursors.length > limits.cursors) {
    throw new Refusal(Reason.INVALID_FIELD, {
      field: "hello.cursors",
      message: `At most ${limits.cursors} cursors. Name the conversations that were used last.`,
      facts: { maximum: limits.cursors, unit: "items", actual: cursors.length },
    });
  }
  const read = new Map<number, number>();
  for (const [index, cursor] of cursors.entries()) {
    const field = `hello.cursors[${index}].conversation_id`;
    const conversationId = parseId("conversation", cursor.conversationId);
    if (conversationId === undefined) throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field });
    if (read.has(conversationId)) {
      throw new Refusal(Reason.INVALID_FIELD, { field, message: "Name each conversation once." });
    }
    read.set(conversationId, toSeq(cursor.seq));
  }
  return read;
}
