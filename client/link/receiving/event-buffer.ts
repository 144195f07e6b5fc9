// The buffer between a source of events and their one reader; the source stops reading while the buffer is full.

interface Buffered<T> {
  readonly event: T;
  readonly bytes: number;
  readonly onTaken: (() => void) | undefined;
}

/**
 * `push` always succeeds, so that a frame is never split. The source MUST therefore wait for `room` before it reads the
 * next frame. An event counts as taken when the reader asks for the next one or stops, because until then the reader
 * may still be processing it.
 */
export class EventBuffer<T> implements AsyncIterable<T> {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #waitingForRoom: (() => void)[] = [];
  #events: Buffered<T>[] = [];
  /** The index of the first event in #events that was not handed out. */
  #first = 0;
  #bytes = 0;
  #handedOut: Buffered<T> | undefined;
  #wakeReader: (() => void) | undefined;
  #reading = false;
  #ended = false;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.#length >= this.#maxEvents || this.#bytes >= this.#maxBytes;
  }

  /** Whether the buffer is at four times its limits. Then even the few events that a full buffer accepts must stop. */
  get overfull(): boolean {
    return this.#length >= 4 * this.#maxEvents || this.#bytes >= 4 * this.#maxBytes;
  }

  /** The newest event that was not handed out. */
  get last(): T | undefined {
    return this.#length > 0 ? this.#events.at(-1)?.event : undefined;
  }

  push(event: T, bytes: number, onTaken?: () => void): void {
    if (this.#ended) return;
    this.#events.push({ event, bytes, onTaken });
    this.#bytes += bytes;
    this.#wakeReader?.();
  }

  /** Replaces the newest event, which the reader has not seen. */
  replaceLast(event: T): void {
    const last = this.#events.at(-1);
    if (last !== undefined && this.last !== undefined)
      this.#events[this.#events.length - 1] = { ...last, event };
  }

  /** Resolves when the buffer is not full or has ended. */
  async room(): Promise<void> {
    while (this.full && !this.#ended) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
    }
  }

  /** Accepts no more events. The reader's loop ends after the buffered ones. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
    this.#notifyRoom();
  }

  /** Only one reader at a time; the next one continues where the last one stopped. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    if (this.#reading)
      throw new Error("These events already have a reader. Only one loop at a time may read them.");
    this.#reading = true;
    return {
      next: async () => {
        this.#taken();
        while (this.#length === 0) {
          if (this.#ended) {
            this.#reading = false;
            return { done: true, value: undefined };
          }
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
          this.#wakeReader = undefined;
        }
        return { done: false, value: this.#handOut() };
      },
      return: () => {
        this.#taken();
        this.#reading = false;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  get #length(): number {
    return this.#events.length - this.#first;
  }

  #handOut(): T {
    const next = this.#events[this.#first];
    if (next === undefined) throw new Error("The buffer is empty.");
    this.#first++;
    this.#bytes -= next.bytes;
    if (this.#first > 64 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
    this.#handedOut = next;
    if (!this.full) this.#notifyRoom();
    return next.event;
  }

  #taken(): void {
    const taken = this.#handedOut;
    this.#handedOut = undefined;
    taken?.onTaken?.();
  }

  #notifyRoom(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }
}
