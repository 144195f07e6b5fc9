// The bounded queue of outgoing pieces of one stream. It MUST:
//  1. never hold more than `hardBytes`, including the memory overhead of small pieces: a push that would exceed it
//     closes the outbox;
//  2. keep the order, and drop no piece unless it is closed;
//  3. not copy a piece before its frame is built, because the same bytes wait in many outboxes;
//  4. join pieces that are pushed in one turn of the event loop into one frame, of at most `maxFrameBytes` and
//     `maxFramePieces`;
//  5. hand over no more than the stream takes, and not wait for a peer that has disconnected;
//  6. release the stream, the pieces and all waiting callers as soon as the stream has ended.
import { asBuffer } from "../wire/bytes.ts";

/**
 * Where an outbox writes to: the server's or the client's side of a gRPC stream whose serializer takes encoded bytes
 * (`passThrough`).
 */
export interface Sink {
  /** Calls `written` when the frame was handed to the transport, but possibly never if the stream has ended. */
  write(frame: never, written: (error?: Error | null) => void): boolean;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

export interface OutboxOptions {
  /** The bytes above which `aboveSoft` is true, and the owner should stop pushing. */
  readonly softBytes: number;
  /** The bytes above which the outbox closes. */
  readonly hardBytes: number;
  /** The most bytes of one frame. A single piece that is larger is sent alone. */
  readonly maxFrameBytes: number;
  /** The most pieces of one frame; by default unlimited. */
  readonly maxFramePieces?: number;
  /**
   * What a waiting piece counts in addition to its bytes; by default 64. If it were not counted, 1 MiB of tiny pieces
   * would take many MiB. It is more where no other outbox shares the piece: a small piece of its own takes about 240
   * bytes.
   */
  readonly pieceOverhead?: number;
}

const PIECE_OVERHEAD = 64;

/**
 * The most frames that are handed over and not yet taken. It is below the stream's own high-water mark (16), so `write`
 * never returns false.
 */
const FRAMES_IN_FLIGHT = 4;

/**
 * The events at the end of a call: "cancelled" and "close" on the server, and also "status" and "error" on the client.
 */
const END_EVENTS = ["cancelled", "close", "error", "status"] as const;

type WritableSink = Sink & { write(frame: Buffer, written: (error?: Error | null) => void): boolean };

export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #overhead: number;
  #sink: WritableSink | undefined;
  /** The queue of pieces. Those not yet handed over start at index #head. */
  #queue: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  #bytesInFlight = 0;
  #framesInFlight = 0;
  #flushing: NodeJS.Immediate | undefined;
  #overflowed = false;
  /** When the transport last took something, or a piece began to wait; ms of the monotonic clock. */
  #progressTime = 0;
  #belowSoft: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;
  #closedListeners: (() => void)[] = [];
  #overflowListeners: (() => void)[] = [];
  #onTaken: (() => void) | undefined;

  constructor(sink: Sink, options: OutboxOptions) {
    this.#options = options;
    this.#overhead = options.pieceOverhead ?? PIECE_OVERHEAD;
    this.#sink = sink;
    for (const event of END_EVENTS) sink.once(event, this.#onEnd);
  }

  /**
   * Queues one encoded list element (tag, length, bytes). If the outbox is closed, the piece is dropped without an
   * error, so a caller that needs it delivered must store it elsewhere.
   */
  push(piece: Uint8Array): void {
    if (this.#sink === undefined) return;
    const cost = piece.length + this.#overhead;
    if (this.bytes + cost > this.#options.hardBytes) {
      this.#overflow();
      return;
    }
    if (this.bytes === 0) this.#progressTime = performance.now();
    this.#queue.push(piece);
    this.#queuedBytes += cost;
    if (this.#flushing === undefined && this.#hasWindow()) this.#flushing = setImmediate(this.#flush);
  }

  /** Bytes that are queued (and the overhead of each piece), or handed over and not yet taken by the transport. */
  get bytes(): number {
    return this.#queuedBytes + this.#bytesInFlight;
  }

  /** Whether `bytes` exceeds `softBytes`. */
  get aboveSoft(): boolean {
    return this.bytes > this.#options.softBytes;
  }

  /** How long pieces have been waiting while the transport took nothing, ms; 0 if nothing waits. */
  get stalledMs(): number {
    return this.bytes === 0 ? 0 : performance.now() - this.#progressTime;
  }

  /** Whether the stream has ended, or the outbox overflowed or was closed: nothing more is sent. */
  get closed(): boolean {
    return this.#sink === undefined;
  }

  /** Whether a push exceeded `hardBytes`. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Resolves when `bytes` is at most `softBytes`, or when the outbox closes; check `closed`. */
  async whenBelowSoft(): Promise<void> {
    if (this.closed || !this.aboveSoft) return;
    this.#belowSoft ??= Promise.withResolvers();
    await this.#belowSoft.promise;
  }

  /** Resolves when the transport has taken everything, or when the outbox closes; check `closed`. */
  async whenFlushed(): Promise<void> {
    if (this.closed || this.bytes === 0) return;
    this.#flushed ??= Promise.withResolvers();
    await this.#flushed.promise;
  }

  /**
   * Calls the listener once when the outbox closes, or immediately if it is closed already. The listener must not
   * throw.
   */
  onClosed(listener: () => void): void {
    if (this.closed) listener();
    else this.#closedListeners.push(listener);
  }

  /** Calls the listener once if a push overflows, before the listeners of onClosed. The listener must not throw. */
  onOverflow(listener: () => void): void {
    if (this.#overflowed) listener();
    else if (!this.closed) this.#overflowListeners.push(listener);
  }

  /** Sets the one listener, which is called whenever the transport has taken something. The listener must not throw. */
  onTaken(listener: () => void): void {
    this.#onTaken = listener;
  }

  /** Drops the queued pieces. Frames that were handed over are still sent before the end of the stream. */
  close(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    for (const event of END_EVENTS) sink.off(event, this.#onEnd);
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#bytesInFlight = 0;
    this.#belowSoft?.resolve();
    this.#flushed?.resolve();
    const listeners = this.#closedListeners;
    this.#closedListeners = [];
    this.#overflowListeners = [];
    this.#onTaken = undefined;
    for (const listener of listeners) listener();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #onEnd = (): void => this.close();

  #overflow(): void {
    this.#overflowed = true;
    for (const listener of this.#overflowListeners.splice(0)) listener();
    this.close();
  }

  #hasWindow(): boolean {
    return this.#framesInFlight < FRAMES_IN_FLIGHT && this.#bytesInFlight < this.#options.maxFrameBytes;
  }

  readonly #flush = (): void => {
    this.#flushing = undefined;
    while (this.#head < this.#queue.length && this.#hasWindow()) {
      const sink = this.#sink;
      if (sink === undefined) return;
      const frame = this.#takeFrame();
      this.#bytesInFlight += frame.length;
      this.#framesInFlight += 1;
      sink.write(frame, (error) => this.#onWritten(frame.length, error));
    }
  };

  #takeFrame(): Buffer {
    const first = this.#head;
    const most = Math.min(this.#queue.length, first + (this.#options.maxFramePieces ?? this.#queue.length));
    let bytes = 0;
    let end = first;
    for (; end < most; end++) {
      const length = this.#queue[end]?.length ?? 0;
      if (bytes + length > this.#options.maxFrameBytes && end > first) break;
      bytes += length;
    }
    const queue = this.#queue;
    const pieces = first === 0 && end === queue.length ? queue : queue.slice(first, end);
    this.#queuedBytes -= bytes + pieces.length * this.#overhead;
    // Removing each taken piece separately would move all the others each time.
    const isMostlyTaken = end * 2 >= queue.length;
    this.#queue = isMostlyTaken ? queue.slice(end) : queue;
    this.#head = isMostlyTaken ? 0 : end;
    const only = pieces.length === 1 ? pieces[0] : undefined;
    return only === undefined ? Buffer.concat(pieces, bytes) : asBuffer(only);
  }

  #onWritten(bytes: number, error?: Error | null): void {
    if (this.#sink === undefined) return;
    if (error) {
      this.close();
      return;
    }
    this.#bytesInFlight -= bytes;
    this.#framesInFlight -= 1;
    this.#progressTime = performance.now();
    if (this.#belowSoft !== undefined && !this.aboveSoft) {
      this.#belowSoft.resolve();
      this.#belowSoft = undefined;
    }
    if (this.bytes === 0) {
      this.#flushed?.resolve();
      this.#flushed = undefined;
    } else if (this.#flushing === undefined && this.#head < this.#queue.length && this.#hasWindow()) {
      this.#flushing = setImmediate(this.#flush);
    }
    this.#onTaken?.();
  }
}
