// What a link hands to its reader, and what becomes of it once the reader took it: cursors on disk, markers.
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
  /** Send delivered markers for what the reader took. */
  readonly deliveredMarkers: boolean;
  /** False: there is no reader, and events are let go as if one had taken them. */
  readonly readEvents: boolean;
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Hears of a cursor that could not be written. */
  readonly onFailure: (error: Error) => void;
}

/** Cursors are written together after this long, ms: a crash costs at most as much, which then comes again. */
const saveMs = 200;

export class ReaderFeed {
  readonly positions: Positions;
  readonly #options: ReaderFeedOptions;
  readonly #reader: EventReader;
  readonly #buffer: EventBuffer<LinkEvent>;
  /** The cursors on disk, as far as this link knows: what its reader has taken. */
  readonly #held = new Map<string, bigint>();
  #unsaved = new Map<string, Position>();
  #saving: NodeJS.Timeout | undefined;
  /** How often a conversation was reset, "" standing for all: what was handed out before moves nothing any more. */
  readonly #resets = new Map<string, number>();
  #closing = false;
  #ended = false;
  #forgetful = false;

  constructor(options: ReaderFeedOptions) {
    this.#options = options;
    const positions = options.cursors.load();
    this.positions = new Positions(positions);
    this.#reader = new EventReader(this.positions);
    this.#buffer = new EventBuffer(options.maxEvents, options.maxBytes);
    for (const { conversationId, seq } of positions) this.#held.set(conversationId, seq);
    if (!options.deliveredMarkers) return;
    // Taken by the device, but perhaps never told: the last process may have ended between the two.
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
    // A reader who is behind wants the last state, not a hundred: and so it stays bounded.
    if (this.#buffer.last?.type === "state") this.#buffer.replaceLast(event);
    else this.#put(event);
  }

  welcome(event: Welcomed): void {
    this.#reader.welcome(event);
    this.#put(event);
  }

  /** Hands out what the event says that is new. @throws BrokenStreamError where entries are missing */
  take(raw: Event, live: boolean): void {
    for (const { event, position, ownEcho } of this.#reader.read(raw, live)) {
      if (event.type === "markers" && event.mine) {
        this.#saveMarkers(event.conversationId, event.deliveredSeq, event.readSeq);
      }
      this.#put(event, position && this.#onTaken(position, ownEcho !== true));
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
      position && this.#onTaken(position, false),
    );
  }

  /** An ack of which the sender knows nothing any more still stands at the place of its entry. */
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

  /** The server's log is another one: forgets the cursor, or all. */
  reset(conversationId: string | undefined, cause: CursorsReset["cause"]): void {
    this.#reader.forget(conversationId);
    this.#options.markers.forget(conversationId);
    this.#resets.set(conversationId ?? "", (this.#resets.get(conversationId ?? "") ?? 0) + 1);
    for (const map of [this.#unsaved, this.#held]) {
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

  /** What comes from now on is no longer handed out. Once it has ended, what is read no longer moves a cursor. */
  close(): void {
    this.#closing = true;
  }

  /** The last event; the reader's loop ends after it. */
  end(state: LinkState): void {
    this.#forgetful = this.#closing;
    this.#closing = false;
    this.state(state);
    this.#buffer.end();
    this.#ended = true;
  }

  /** Writes the cursors that wait for it. */
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

  #onTaken(position: Position, tell: boolean): () => void {
    const life = this.#lifeOf(position.conversationId);
    return () => {
      if (life === this.#lifeOf(position.conversationId)) this.#taken(position, tell);
    };
  }

  #lifeOf(conversationId: string): string {
    return `${this.#resets.get("") ?? 0} ${this.#resets.get(conversationId) ?? 0}`;
  }

  #taken(position: Position, tell: boolean): void {
    const { conversationId, seq } = position;
    const told = tell && this.#options.deliveredMarkers;
    if (told) this.#options.markers.raise({ conversationId, deliveredSeq: seq, readSeq: 0n });
    this.#held.set(conversationId, seq);
    this.#save(told ? { ...position, deliveredSeq: seq } : position);
  }

  /** Only beside a cursor: one of 0, made for the marker's sake, would ask for the whole log. */
  #saveMarkers(conversationId: string, deliveredSeq: bigint, readSeq: bigint): void {
    const seq = this.#held.get(conversationId);
    if (seq === undefined) return;
    this.#save({ conversationId, seq, kind: "unknown", peer: undefined, deliveredSeq, readSeq });
  }

  #save(position: Position): void {
    if (this.#forgetful) return;
    this.#unsaved.set(position.conversationId, higher(this.#unsaved.get(position.conversationId), position));
    // A link that ended by itself may still be read to its end, but leaves no timer behind.
    if (this.#ended) this.save();
    else this.#saving ??= setTimeout(() => this.save(), saveMs);
  }
}

/** Roughly what an event holds in memory, bytes. */
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
