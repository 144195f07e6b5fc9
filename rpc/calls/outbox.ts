// The bounded queue of what goes out on one stream. It MUST:
//  1. hold at most `hardBytes`, the cost of keeping small pieces included, whatever the peer does: a push that would
//     exceed it ends the outbox instead;
//  2. never reorder, and never leave out a piece that it took, unless it is closed;
//  3. never copy a piece before its frame is built: the same bytes wait in many outboxes;
//  4. join what was pushed in one turn of the event loop into one frame, of at most `maxFrameBytes` and `maxFramePieces`;
//  5. hand over no more than the stream takes, and wait for nothing that a peer who is gone would have to do;
//  6. let go of the stream, the pieces and everyone who waits as soon as the stream is gone.
import { asBuffer } from "../wire/bytes.ts";

/**
 * What an outbox writes to: the server's or the client's side of a gRPC stream, with a serializer that takes ready
 * bytes (`passThrough`).
 */
export interface Sink {
  /** Calls back when the frame was handed to the transport; if the stream is gone, perhaps never. */
  write(frame: never, written: (error?: Error | null) => void): boolean;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

export interface OutboxOptions {
  /** Above this, bytes, `aboveSoft` asks the owner to stop pushing. */
  readonly softBytes: number;
  /** Above this, bytes, the outbox ends. */
  readonly hardBytes: number;
  /** Bound of one frame, bytes; a single piece that is larger goes alone. */
  readonly maxFrameBytes: number;
  /** Bound of one frame, pieces; else any number. */
  readonly maxFramePieces?: number;
}

/** What a waiting piece costs beside its own bytes: without it, 1 MiB of tiny ones would be many MiB of objects. */
const PIECE_OVERHEAD = 64;

/** Frames handed over and not yet taken: below the stream's own mark (16), so that `write` never answers "full". */
const FRAMES_IN_FLIGHT = 4;

/** What says that a call is over: on the server "cancelled" and "close", on the client "status" and "error" too. */
const GONE_EVENTS = ["cancelled", "close", "error", "status"] as const;

type WritableSink = Sink & { write(frame: Buffer, written: (error?: Error | null) => void): boolean };

export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  #sink: WritableSink | undefined;
  /** Pieces not yet handed over, from #head on. */
  #queue: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  #bytesInFlight = 0;
  #framesInFlight = 0;
  #flushing: NodeJS.Immediate | undefined;
  #overflowed = false;
  /** When something was last taken, or began to wait; ms of the monotonic clock. */
  #progressTime = 0;
  #belowSoft: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;
  #closedListeners: (() => void)[] = [];
  #overflowListeners: (() => void)[] = [];
  #onTaken: (() => void) | undefined;

  constructor(sink: Sink, options: OutboxOptions) {
    this.#options = options;
    this.#sink = sink;
    for (const event of GONE_EVENTS) sink.once(event, this.#onGone);
  }

  /**
   * Queues one encoded list element (tag, length, bytes). Dropped in silence where the outbox is closed: whoever needs
   * it to arrive keeps it elsewhere.
   */
  push(piece: Uint8Array): void {
    if (this.#sink === undefined) return;
    const cost = piece.length + PIECE_OVERHEAD;
    if (this.bytes + cost > this.#options.hardBytes) {
      this.#overflow();
      return;
    }
    if (this.bytes === 0) this.#progressTime = performance.now();
    this.#queue.push(piece);
    this.#queuedBytes += cost;
    if (this.#flushing === undefined && this.#hasWindow()) this.#flushing = setImmediate(this.#flush);
  }

  /** Bytes queued (64 more for each piece), or handed over and not yet taken by the transport. */
  get bytes(): number {
    return this.#queuedBytes + this.#bytesInFlight;
  }

  get aboveSoft(): boolean {
    return this.bytes > this.#options.softBytes;
  }

  /** How long something has waited while nothing at all was taken, ms; 0 if nothing waits. */
  get stalledMs(): number {
    return this.bytes === 0 ? 0 : performance.now() - this.#progressTime;
  }

  /** The stream is gone, or the outbox overflowed or was closed: nothing more goes out. */
  get closed(): boolean {
    return this.#sink === undefined;
  }

  /** A push went over `hardBytes`. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Resolves at or below `softBytes`, or when closed: look which. */
  async whenBelowSoft(): Promise<void> {
    if (this.closed || !this.aboveSoft) return;
    this.#belowSoft ??= Promise.withResolvers();
    await this.#belowSoft.promise;
  }

  /** Resolves when everything was handed to the transport, or when closed: look which. */
  async whenFlushed(): Promise<void> {
    if (this.closed || this.bytes === 0) return;
    this.#flushed ??= Promise.withResolvers();
    await this.#flushed.promise;
  }

  /** Calls the listener once when the outbox closes; at once if it is closed. It must not throw. */
  onClosed(listener: () => void): void {
    if (this.closed) listener();
    else this.#closedListeners.push(listener);
  }

  /** Calls the listener once if a push overflows, before those of onClosed. It must not throw. */
  onOverflow(listener: () => void): void {
    if (this.#overflowed) listener();
    else if (!this.closed) this.#overflowListeners.push(listener);
  }

  /** Calls the one listener whenever the transport has taken something. It must not throw. */
  onTaken(listener: () => void): void {
    this.#onTaken = listener;
  }

  /** Drops what is queued. Frames handed over stay ahead of whatever ends the stream. */
  close(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    for (const event of GONE_EVENTS) sink.off(event, this.#onGone);
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

  readonly #onGone = (): void => this.close();

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
    this.#queuedBytes -= bytes + pieces.length * PIECE_OVERHEAD;
    // Taken pieces are let go of now and then, not one by one: that would cost a move of all the others each time.
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
