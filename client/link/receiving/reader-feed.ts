// Hands the events of a link to its reader, and saves cursors and raises markers when the reader has taken them.
import type { Ack, Event } from "../../../gen/parley/chat/v1/event.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { type CursorStore, higher, type Position } from "../model/cursors.ts";
import type { CursorsReset, LinkEvent, LinkState, Welcomed } from "../model/events.ts";
import type { UnsentMessage } from "../model/send-queue.ts";
import { EventBuffer } from "./event-buffer.ts";
import { decodeContent, EventReader } from "./event-reader.ts";
import type { MarkerSender } from "./marker-sender.ts";
import { Positions } from "./positions.ts";

export interface ReaderFeedOptions {
  readonly cursors: CursorStore;
  readonly markers: MarkerSender;
  /** Raise delivered markers for entries that the reader has taken. */
  readonly deliveredMarkers: boolean;
  /** False: there is no reader; events are dropped and count as taken. */
  readonly readEvents: boolean;
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Called when cursors cannot be written. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Cursors are collected for this long before they are written, ms. After a crash, entries of this time arrive again.
 */
const saveMs = 200;

export class ReaderFeed {
  readonly positions: Positions;
  readonly #options: ReaderFeedOptions;
  readonly #reader: EventReader;
  readonly #buffer: EventBuffer<LinkEvent>;
  /** The newest seq of each conversation that the reader has taken. */
  readonly #taken = new Map<string, bigint>();
  #unsaved = new Map<string, Position>();
  #saving: NodeJS.Timeout | undefined;
  /** How often each conversation was reset; "" counts resets of all. Events from before a reset move no cursor. */
  readonly #resets = new Map<string, number>();
  #closing = false;
  #ended = false;
  /** Cursors are no longer saved: the program closed the link. */
  #discardsCursors = false;

  constructor(options: ReaderFeedOptions) {
    this.#options = options;
    const positions = options.cursors.load();
    this.positions = new Positions(positions);
    this.#reader = new EventReader(this.positions);
    this.#buffer = new EventBuffer(options.maxEvents, options.maxBytes);
    for (const { conversationId, seq } of positions) this.#taken.set(conversationId, seq);
    if (!options.deliveredMarkers) return;
    // The last process may have ended after it saved the cursors and before it sent the markers.
    for (const { conversationId, seq, deliveredSeq } of positions) {
      if (seq > deliveredSeq) options.markers.raise({ conversationId, deliveredSeq: seq, readSeq: 0n });
    }
  }

  get events(): AsyncIterable<LinkEvent> {
    return this.#buffer;
  }

  get full(): boolean {
    return this.#buffer.full;
  }

  get overfull(): boolean {
    return this.#buffer.overfull;
  }

  room(): Promise<void> {
    return this.#buffer.room();
  }

  state(state: LinkState): void {
    const event: LinkEvent = { type: "state", state };
    // A slow reader needs only the last state, and replacing the previous one keeps the buffer bounded.
    if (this.#buffer.last?.type === "state") this.#buffer.replaceLast(event);
    else this.#put(event);
  }

  welcome(event: Welcomed): void {
    this.#reader.welcome(event);
    this.#put(event);
  }

  /** Hands out the event if it is new. @throws BrokenStreamError if entries are missing */
  take(raw: Event, live: boolean): void {
    for (const { event, position, ownEcho } of this.#reader.read(raw, live)) {
      if (event.type === "markers" && event.mine) {
        this.#saveMarkers(event.conversationId, event.deliveredSeq, event.readSeq);
      }
      this.#put(event, position && this.#takenCallback(position, ownEcho !== true));
    }
  }

  acked(message: UnsentMessage, ack: Ack): void {
    const { clientMessageId, target } = message;
    const { conversationId, seq, sendTime, repeatedSend, withheld } = ack;
    const { entryShown, position } = this.#reader.acked(ack);
    const content = decodeContent(message.content);
    this.#put(
      {
        type: "acked",
        clientMessageId,
        target,
        content,
        conversationId,
        seq,
        sendTime,
        repeatedSend,
        entryShown,
        withheld,
      },
      position && this.#takenCallback(position, false),
    );
  }

  /** Handles an ack that the sender does not wait for. It still takes the place of its entry. */
  ackedAgain(ack: Ack): void {
    this.#reader.acked(ack);
  }

  refused(message: UnsentMessage | undefined, error: RpcError, raw: Event | undefined): void {
    this.#put({
      type: "refused",
      clientMessageId: message?.clientMessageId,
      target: message?.target,
      content: message === undefined ? undefined : decodeContent(message.content),
      error,
      raw,
    });
  }

  heldBack(messages: UnsentMessage[]): void {
    this.#put({ type: "held-back", messages });
  }

  copied(): void {
    this.#put({ type: "copied" });
  }

  /** Forgets the cursor of a conversation, or all, because the server's log was replaced. */
  reset(conversationId: string | undefined, cause: CursorsReset["cause"]): void {
    this.#reader.forget(conversationId);
    this.#options.markers.forget(conversationId);
    this.#resets.set(conversationId ?? "", (this.#resets.get(conversationId ?? "") ?? 0) + 1);
    for (const map of [this.#unsaved, this.#taken]) {
      if (conversationId === undefined) map.clear();
      else map.delete(conversationId);
    }
    this.#options.cursors.forget(conversationId);
    this.#put({ type: "reset", conversationId, cause });
  }

  markRead(conversationId: string, seq: bigint): void {
    this.#options.markers.raise({ conversationId, deliveredSeq: seq, readSeq: seq });
    this.#saveMarkers(conversationId, seq, seq);
  }

  /** Hands out no more events. After `end`, the events that are still read move no cursor. */
  close(): void {
    this.#closing = true;
  }

  /** Hands out the last event, after which the reader's loop ends. */
  end(state: LinkState): void {
    this.#discardsCursors = this.#closing;
    this.#closing = false;
    this.state(state);
    this.#buffer.end();
    this.#ended = true;
  }

  /** Writes the collected cursors now. */
  save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const positions = [...this.#unsaved.values()];
    this.#unsaved = new Map();
    if (positions.length === 0) return;
    try {
      this.#options.cursors.raise(positions);
    } catch (error) {
      this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #put(event: LinkEvent, onTaken?: () => void): void {
    if (this.#closing) return;
    if (this.#options.readEvents) this.#buffer.push(event, sizeOf(event), onTaken);
    else onTaken?.();
  }

  #takenCallback(position: Position, raisesMarker: boolean): () => void {
    const resets = this.#resetsOf(position.conversationId);
    return () => {
      if (resets === this.#resetsOf(position.conversationId)) this.#onTaken(position, raisesMarker);
    };
  }

  #resetsOf(conversationId: string): string {
    return `${this.#resets.get("") ?? 0} ${this.#resets.get(conversationId) ?? 0}`;
  }

  #onTaken(position: Position, raisesMarker: boolean): void {
    const { conversationId, seq } = position;
    const isDelivered = raisesMarker && this.#options.deliveredMarkers;
    if (isDelivered) this.#options.markers.raise({ conversationId, deliveredSeq: seq, readSeq: 0n });
    this.#taken.set(conversationId, seq);
    this.#save(isDelivered ? { ...position, deliveredSeq: seq } : position);
  }

  /** Saves markers if there is a cursor. A new cursor at 0 would request the whole log from the server. */
  #saveMarkers(conversationId: string, deliveredSeq: bigint, readSeq: bigint): void {
    const seq = this.#taken.get(conversationId);
    if (seq === undefined) return;
    this.#save({ conversationId, seq, kind: "unknown", peer: undefined, deliveredSeq, readSeq });
  }

  #save(position: Position): void {
    if (this.#discardsCursors) return;
    this.#unsaved.set(position.conversationId, higher(this.#unsaved.get(position.conversationId), position));
    // After the end the events can still be read, but no timer may keep the process alive.
    if (this.#ended) this.save();
    else this.#saving ??= setTimeout(() => this.save(), saveMs);
  }
}

/** The approximate size of an event in memory, bytes. */
function sizeOf(event: LinkEvent): number {
  const base = 256;
  switch (event.type) {
    case "entry":
    case "acked":
      return base + (event.content.kind === "text" ? 2 * event.content.text.length : 0);
    case "welcome":
      return base + 128 * event.online.length;
    case "presence":
      return base + 128 * (event.cameOnline.length + event.wentOffline.length);
    default:
      return base;
  }
}
