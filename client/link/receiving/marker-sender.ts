// Collects the user's markers for a short time, and sends the highest one of each conversation to the server.
import type { Marker } from "../../../gen/parley/chat/v1/conversation.ts";
import { max } from "../model/cursors.ts";

/** How long markers are collected before they are sent, ms. */
const collectMs = 200;
/** The most markers in one command. */
const maxMarkers = 1_000;

export interface MarkerRise {
  readonly conversationId: string;
  readonly deliveredSeq: bigint;
  readonly readSeq: bigint;
}

/** The server sets the times. */
const unset = { deliveredTime: undefined, readTime: undefined };

/**
 * Markers have no ack, so each stream repeats the markers that were sent on the stream before it. Repeating a marker
 * that had arrived changes nothing.
 */
export class MarkerSender implements Disposable {
  #pending = new Map<string, Marker>();
  #sent = new Map<string, Marker>();
  #send: ((markers: Marker[]) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  raise({ conversationId, deliveredSeq, readSeq }: MarkerRise): void {
    this.#merge({ conversationId, deliveredSeq, readSeq, ...unset });
    if (this.#send === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), collectMs);
  }

  streamOpened(send: (markers: Marker[]) => void): void {
    this.#send = send;
    this.flush();
  }

  streamLost(): void {
    this.#send = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sent = this.#sent;
    this.#sent = new Map();
    for (const marker of sent.values()) this.#merge(marker);
  }

  forget(conversationId: string | undefined): void {
    for (const markers of [this.#pending, this.#sent]) {
      if (conversationId === undefined) markers.clear();
      else markers.delete(conversationId);
    }
  }

  /** Sends the collected markers now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#send === undefined) return;
    const markers = [...this.#pending.values()];
    this.#pending = new Map();
    for (const marker of markers) this.#sent.set(marker.conversationId, marker);
    for (let from = 0; from < markers.length; from += maxMarkers)
      this.#send(markers.slice(from, from + maxMarkers));
  }

  [Symbol.dispose](): void {
    this.streamLost();
    this.#pending.clear();
  }

  #merge({ conversationId, deliveredSeq, readSeq }: Marker): void {
    const before = this.#pending.get(conversationId);
    const read = max(before?.readSeq ?? 0n, readSeq);
    const delivered = max(max(before?.deliveredSeq ?? 0n, deliveredSeq), read);
    this.#pending.set(conversationId, { conversationId, deliveredSeq: delivered, readSeq: read, ...unset });
  }
}
