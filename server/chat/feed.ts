// What one stream sends down: Welcome, the backlog, CaughtUp, then live events; and the way back to the store whenever
// its reader is too slow for live. It MUST:
//  1. hand each visible entry of each conversation to its outbox once, in the order of seq, whatever the mode;
//  2. name what it leaves out (Omitted, Gap), and end with SLOW_READER rather than drop anything else;
//  3. hold no more than its outbox, one page, and bounded notes of what it owes.
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { BusMessage, EntryMessage, EphemeralEvent, PresenceMessage } from "../bus/bus.ts";
import type { ConnectedStream } from "../client-manager.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { SeqRange, UserRow } from "../store/store.ts";
import type { Backlog } from "./backlog.ts";
import { encodeOmitted } from "./encoding.ts";
import { encodePresenceChanged, withoutHidden } from "./presence-events.ts";

export interface FeedOptions {
  readonly user: UserRow;
  readonly sessionId: number;
  /** Of the program that reads, as its Hello says. */
  readonly processId: string;
  /** The families of events that the reader wants. */
  readonly features: ReadonlySet<Feature>;
  readonly outbox: Outbox;
  readonly backlog: Backlog;
  readonly clock?: Clock | undefined;
}

export class Feed implements ConnectedStream {
  readonly userId: number;
  readonly sessionId: number;
  readonly #options: FeedOptions;
  /** Entries announced while the feed was not live, and not yet sent: per conversation the seqs that are range. */
  readonly #pendingRanges = new Map<number, SeqRange>();
  /** Presence that changed while it could not be told: per user the newest word. */
  readonly #heldPresence = new Map<number, { row: UserRow; online: boolean }>();
  /** The newest of what passed while it could not be told: per key. */
  readonly #heldEphemeral = new Map<string, Uint8Array>();
  #mode: "opening" | "catching-up" | "live" = "opening";
  #ending: Refusal | undefined;
  readonly #ended = Promise.withResolvers<Refusal>();

  constructor(options: FeedOptions) {
    this.#options = options;
    this.userId = options.user.userId;
    this.sessionId = options.sessionId;
    options.outbox.onOverflow(() => this.end(slowReader()));
  }

  /** Resolves with the reason, when the stream has to end. */
  get ended(): Promise<Refusal> {
    return this.#ended.promise;
  }

  deliver(message: Exclude<BusMessage, { kind: "session-ended" }>): void {
    if (this.#ending !== undefined) return;
    switch (message.kind) {
      case "entry":
        this.#deliverEntry(message);
        return;
      case "presence":
        if (this.#options.features.has(Feature.PRESENCE)) this.#deliverPresence(message);
        return;
      case "ephemeral":
        if (this.#options.features.has(message.feature)) this.#deliverEphemeral(message);
        return;
    }
  }

  end(ending: Refusal): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#pendingRanges.clear();
    this.#heldPresence.clear();
    this.#heldEphemeral.clear();
    this.#ended.resolve(ending);
  }

  /**
   * Sends the opening, then everything missed; returns when the feed is live. Call it once, after the stream is
   * attached: what is announced meanwhile is noted and sent in its turn.
   * @param welcome the encoded Welcome
   * @param cursors how far the reader is, by conversation; checked against the heads
   * @param caughtUp gives the encoded CaughtUp
   */
  async open(
    welcome: Uint8Array,
    cursors: ReadonlyMap<number, number>,
    caughtUp: () => Uint8Array,
  ): Promise<void> {
    this.#options.outbox.push(welcome);
    this.#mode = "catching-up";
    if (await this.#options.backlog.send(this, cursors)) {
      await this.#sendPending(() => this.#options.outbox.push(caughtUp()));
    }
  }

  /** Sends pieces as the reader takes them. False where the stream has ended instead. */
  async send(pieces: Iterable<Uint8Array>): Promise<boolean> {
    for (const piece of pieces) {
      if (!(await this.#hasRoom())) return false;
      this.#options.outbox.push(piece);
    }
    return this.#ending === undefined;
  }

  /** Everything of the conversation up to this seq has been sent from the store. */
  sentUpTo(conversationId: number, seq: number): void {
    const range = this.#pendingRanges.get(conversationId);
    if (range === undefined) return;
    if (range.to <= seq) this.#pendingRanges.delete(conversationId);
    else if (range.from <= seq) this.#pendingRanges.set(conversationId, { from: seq + 1, to: range.to });
  }

  #deliverEntry(message: EntryMessage): void {
    const { outbox } = this.#options;
    const own = message.ack !== undefined && message.origin === this;
    if (this.#canPush()) {
      if (own && message.ack !== undefined) outbox.push(message.ack);
      else if (message.hiddenFrom.has(this.userId)) {
        outbox.push(encodeOmitted(message.conversationId, message.seq, message.seq));
      } else outbox.push(message.piece);
      return;
    }
    // The sender waits for its ack, wherever its backlog stands.
    if (own && message.ack !== undefined) outbox.push(message.ack);
    this.#addPendingRange(message.conversationId, message.seq);
    if (this.#mode === "live") this.#catchUp();
  }

  #addPendingRange(conversationId: number, seq: number): void {
    const range = this.#pendingRanges.get(conversationId);
    if (range === undefined && this.#pendingRanges.size >= limits.touchedConversations) {
      this.end(slowReader());
      return;
    }
    this.#pendingRanges.set(conversationId, { from: range?.from ?? seq, to: seq });
  }

  #deliverPresence(told: PresenceMessage): void {
    const message = withoutHidden(told, this.userId);
    if (message.cameOnline.length === 0 && message.wentOffline.length === 0) return;
    if (this.#canPush()) {
      this.#options.outbox.push(encodePresenceChanged(message));
      return;
    }
    for (const row of message.cameOnline) this.#heldPresence.set(row.userId, { row, online: true });
    for (const row of message.wentOffline) this.#heldPresence.set(row.userId, { row, online: false });
    if (this.#heldPresence.size > limits.heldPresence) this.end(slowReader());
    else if (this.#mode === "live") this.#catchUp();
  }

  #deliverEphemeral(message: EphemeralEvent): void {
    const { sessionId, processId } = message.except ?? {};
    if (sessionId === this.sessionId && processId === this.#options.processId) {
      // What is older is not news to it either.
      if (message.key !== undefined) this.#heldEphemeral.delete(message.key);
      return;
    }
    if (this.#canPush()) this.#options.outbox.push(message.piece);
    else if (message.key !== undefined) {
      // Set anew, so that what is held stays in the order of what happened.
      this.#heldEphemeral.delete(message.key);
      this.#heldEphemeral.set(message.key, message.piece);
      if (this.#heldEphemeral.size > limits.heldMarkers) this.end(slowReader());
      else if (this.#mode === "live") this.#catchUp();
    }
  }

  #canPush(): boolean {
    return this.#mode === "live" && !this.#options.outbox.aboveSoft;
  }

  /** From live back to catching up: pays what is owed and tells what is held, once the reader has taken enough. */
  #catchUp(): void {
    this.#mode = "catching-up";
    this.#sendPending().catch((error: unknown) => this.#fail(error));
  }

  /** Sends from the store what is range, until nothing is, and goes live; or returns because the stream has ended. */
  async #sendPending(beforeLive?: () => void): Promise<void> {
    // Room first, so that whatever is noted while waiting goes out with the same reading.
    while (await this.#hasRoom()) {
      const next = this.#pendingRanges.entries().next();
      if (next.done) {
        // In the same turn as the check: nothing can be announced between the two.
        beforeLive?.();
        this.#goLive();
        return;
      }
      const [conversationId, range] = next.value;
      this.#pendingRanges.delete(conversationId);
      if (!(await this.#options.backlog.sendRange(this, conversationId, range.from, range.to))) return;
    }
  }

  #goLive(): void {
    this.#mode = "live";
    const { outbox } = this.#options;
    const held = [...this.#heldPresence.values()];
    this.#heldPresence.clear();
    for (let at = 0; at < held.length; at += limits.presencePerEvent) {
      const some = held.slice(at, at + limits.presencePerEvent);
      outbox.push(
        encodePresenceChanged({
          cameOnline: some.filter((change) => change.online).map((change) => change.row),
          wentOffline: some.filter((change) => !change.online).map((change) => change.row),
        }),
      );
    }
    for (const piece of this.#heldEphemeral.values()) outbox.push(piece);
    this.#heldEphemeral.clear();
  }

  /** Waits until the reader has taken enough. False where the stream has ended, or ends because it takes nothing. */
  async #hasRoom(): Promise<boolean> {
    const { outbox } = this.#options;
    if (outbox.aboveSoft) {
      using _watch = (this.#options.clock ?? systemClock).every(limits.slowReaderMs / 10, () => {
        if (outbox.stalledMs >= limits.slowReaderMs) this.end(slowReader());
      });
      await Promise.race([outbox.whenBelowSoft(), this.ended]);
    }
    return this.#ending === undefined && !outbox.closed;
  }

  #fail(error: unknown): void {
    this.end(
      error instanceof Refusal
        ? error
        : new Refusal(Reason.STORE_UNAVAILABLE, { retryDelayMs: limits.comeBackMs }),
    );
  }
}

function slowReader(): Refusal {
  return new Refusal(Reason.SLOW_READER, { retryDelayMs: limits.comeBackMs });
}
