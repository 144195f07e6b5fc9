// Tells the server how far the user is: joined, at most once per conversation in a while, the highest only.
import type { Marker } from "../../../gen/parley/chat/v1/conversation.ts";
import { max } from "../model/cursors.ts";

/** Markers are joined for this long, ms. */
const joinMs = 200;
/** The most markers that one command takes. */
const most = 1_000;

export interface MarkerRise {
  readonly conversationId: string;
  readonly deliveredSeq: bigint;
  readonly readSeq: bigint;
}

/**
 * Markers have no ack. What the last stream took with it is sent again over the next one, where it changes nothing if
 * it had arrived.
 */
export class MarkerSender implements Disposable {
  #pending = new Map<string, Marker>();
  #sent = new Map<string, Marker>();
  #send: ((markers: Marker[]) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  raise({ conversationId, deliveredSeq, readSeq }: MarkerRise): void {
    this.#merge({ conversationId, deliveredSeq, readSeq });
    if (this.#send === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), joinMs);
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

  /** Sends what waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#send === undefined) return;
    const markers = [...this.#pending.values()];
    this.#pending = new Map();
    for (const marker of markers) this.#sent.set(marker.conversationId, marker);
    for (let from = 0; from < markers.length; from += most) this.#send(markers.slice(from, from + most));
  }

  [Symbol.dispose](): void {
    this.streamLost();
    this.#pending.clear();
  }

  #merge({ conversationId, deliveredSeq, readSeq }: Marker): void {
    const before = this.#pending.get(conversationId);
    const read = max(before?.readSeq ?? 0n, readSeq);
    const delivered = max(max(before?.deliveredSeq ?? 0n, deliveredSeq), read);
    this.#pending.set(conversationId, { conversationId, deliveredSeq: delivered, readSeq: read });
  }
}
