// The events that the server sends on one stream: Welcome, the backlog, CaughtUp, then live events.
//
// A reader that is too slow for live events receives entries from the store until it has caught up again. A feed MUST:
//  1. push each visible entry of each conversation to its outbox once, in the order of seq, in every mode;
//  2. name the entries that it leaves out (Omitted, Gap), and end with SLOW_READER before it would drop anything else;
//  3. keep no more in memory than its outbox, one page of entries, and a bounded list of pending ranges.
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import type { Clock } from "../../time/clock.ts";
import { waitFor } from "../../time/wait.ts";
import type { EphemeralEvent } from "../bus/bus.ts";
import type { ConnectedStream, EntryMessage, PresenceMessage, StreamMessage } from "../client-manager.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { SeqRange, UserRow } from "../store/store.ts";
import type { Backlog } from "./backlog.ts";
import { encodeOmitted } from "./encoding.ts";
import { encodePresenceChanged, withoutHidden } from "./presence-events.ts";

export interface FeedOptions {
  readonly user: UserRow;
  readonly sessionId: number;
  /** The process_id of the Hello. */
  readonly processId: string;
  /** The families of events that the Hello asked for. */
  readonly features: ReadonlySet<Feature>;
  readonly outbox: Outbox;
  readonly backlog: Backlog;
  readonly clock: Clock;
  /** Converts an error to the ending of the stream. */
  readonly endingOf: (error: unknown) => Refusal;
}

export class Feed implements ConnectedStream {
  readonly userId: number;
  readonly sessionId: number;
  readonly #options: FeedOptions;
  /** By conversation: the entries that were announced while the feed was not live and have not been sent yet. */
  readonly #pendingRanges = new Map<number, SeqRange>();
  /** By user: the newest presence change that was published while the feed was not live. */
  readonly #heldPresence = new Map<number, { row: UserRow; online: boolean }>();
  /** By key: the newest ephemeral event that was published while the feed was not live. */
  readonly #heldEphemeral = new Map<string, Uint8Array>();
  #mode: "opening" | "catching-up" | "live" = "opening";
  #ending: Refusal | undefined;
  readonly #ended = Promise.withResolvers<Refusal>();
  readonly #stop = new AbortController();

  constructor(options: FeedOptions) {
    this.#options = options;
    this.userId = options.user.userId;
    this.sessionId = options.sessionId;
    options.outbox.onOverflow(() => this.end(slowReader()));
  }

  get queuedBytes(): number {
    return this.#options.outbox.bytes;
  }

  /** Resolves with the reason when the stream has to end. */
  get ended(): Promise<Refusal> {
    return this.#ended.promise;
  }

  deliver(message: StreamMessage): void {
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
    this.#stop.abort();
  }

  /**
   * Sends Welcome and the backlog, and returns when the feed is live or the stream has ended. Call it once, after the
   * stream is attached: entries that are announced meanwhile are noted and sent after the backlog.
   * @param welcome the encoded Welcome
   * @param cursors by conversation: the newest seq that the reader has, already checked against the heads
   * @param caughtUp returns the encoded CaughtUp
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

  /** Sends the pieces as fast as the reader takes them. Returns false if the stream has ended. */
  async send(pieces: Iterable<Uint8Array>): Promise<boolean> {
    for (const piece of pieces) {
      if (!(await this.#hasRoom())) return false;
      this.#options.outbox.push(piece);
    }
    return this.#ending === undefined;
  }

  /** Called when all entries of the conversation up to this seq have been sent from the store. */
  sentUpTo(conversationId: number, seq: number): void {
    const range = this.#pendingRanges.get(conversationId);
    if (range === undefined) return;
    if (range.to <= seq) this.#pendingRanges.delete(conversationId);
    else if (range.from <= seq) this.#pendingRanges.set(conversationId, { from: seq + 1, to: range.to });
  }

  #deliverEntry(message: EntryMessage): void {
    const { outbox } = this.#options;
    const ack = message.ackStream === this ? message.ack : undefined;
    if (this.#canPush()) {
      if (ack !== undefined) outbox.push(ack);
      else if (message.hiddenFrom.has(this.userId)) {
        outbox.push(encodeOmitted(message.conversationId, message.seq, message.seq));
      } else outbox.push(message.piece);
      return;
    }
    // A sender receives its Ack even while its feed catches up.
    if (ack !== undefined) outbox.push(ack);
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

  #deliverPresence(everyChange: PresenceMessage): void {
    const message = withoutHidden(everyChange, this.userId);
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
      // The program that caused the event does not receive it, but any older event with the same key is now out of
      // date.
      if (message.key !== undefined) this.#heldEphemeral.delete(message.key);
      return;
    }
    if (this.#canPush()) this.#options.outbox.push(message.piece);
    else if (message.key !== undefined) {
      // Deleting the key first keeps the map in the order of the events.
      this.#heldEphemeral.delete(message.key);
      this.#heldEphemeral.set(message.key, message.piece);
      if (this.#heldEphemeral.size > limits.heldMarkers) this.end(slowReader());
      else if (this.#mode === "live") this.#catchUp();
    }
  }

  #canPush(): boolean {
    return this.#mode === "live" && !this.#options.outbox.aboveSoft;
  }

  /** Leaves the live mode, and sends the pending ranges and the held events once the reader has taken enough. */
  #catchUp(): void {
    this.#mode = "catching-up";
    this.#sendPending().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Sends the pending ranges from the store until none is left, and then goes live. Returns early if the stream has
   * ended.
   */
  async #sendPending(beforeLive?: () => void): Promise<void> {
    // Wait before taking a range, so that entries announced in the meantime extend it.
    while (await this.#hasRoom()) {
      const next = this.#pendingRanges.entries().next();
      if (next.done) {
        // This runs in the same turn of the event loop as the check, so that no entry can be announced in between.
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

  /**
   * Waits until the outbox has room. Returns false if the stream has ended. If the reader takes nothing, ends the
   * stream as SLOW_READER.
   */
  async #hasRoom(): Promise<boolean> {
    const { outbox } = this.#options;
    if (outbox.aboveSoft) {
      using _watch = this.#options.clock.every(limits.slowReaderMs / 10, () => {
        if (outbox.stalledMs >= limits.slowReaderMs) this.end(slowReader());
      });
      await waitFor(outbox.whenBelowSoft(), { signal: this.#stop.signal });
    }
    return this.#ending === undefined && !outbox.closed;
  }

  #fail(error: unknown): void {
    this.end(this.#options.endingOf(error));
  }
}

function slowReader(): Refusal {
  return new Refusal(Reason.SLOW_READER, { retryDelayMs: limits.comeBackMs });
}
