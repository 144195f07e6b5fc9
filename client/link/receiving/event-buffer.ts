// The bounded buffer between a link and its one reader. The link stops reading from the network while it is full.

interface Buffered<T> {
  readonly event: T;
  readonly bytes: number;
  readonly onTaken: (() => void) | undefined;
}

/**
 * `push` never refuses, so that one frame is never torn: who pushes MUST wait for `room` before it reads the next. An
 * event counts as taken when the reader asks for the one after it, or stops: until then it may still be at work on it.
 */
export class EventBuffer<T> implements AsyncIterable<T> {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #waitingForRoom: (() => void)[] = [];
  #events: Buffered<T>[] = [];
  /** Index of the first event in #events that was not handed out. */
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

  /** Far beyond full: what is small and could be let in beside a full buffer has to stop as well. */
  get overfull(): boolean {
    return this.#length >= 4 * this.#maxEvents || this.#bytes >= 4 * this.#maxBytes;
  }

  /** The event that would be handed out last. */
  get last(): T | undefined {
    return this.#length > 0 ? this.#events.at(-1)?.event : undefined;
  }

  push(event: T, bytes: number, onTaken?: () => void): void {
    if (this.#ended) return;
    this.#events.push({ event, bytes, onTaken });
    this.#bytes += bytes;
    this.#wakeReader?.();
  }

  /** Puts the event in place of the last one, which nobody has seen yet. */
  replaceLast(event: T): void {
    const last = this.#events.at(-1);
    if (last !== undefined && this.last !== undefined)
      this.#events[this.#events.length - 1] = { ...last, event };
  }

  /** Resolves when the buffer is not full, or has ended. */
  async room(): Promise<void> {
    while (this.full && !this.#ended) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
    }
  }

  /** What is in the buffer can still be read; then the reader's loop ends. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
    this.#letIn();
  }

  /** One reader at a time; a later one goes on where the last one stopped. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    if (this.#reading) throw new Error("The events already have a reader.");
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
    if (!this.full) this.#letIn();
    return next.event;
  }

  #taken(): void {
    const taken = this.#handedOut;
    this.#handedOut = undefined;
    taken?.onTaken?.();
  }

  #letIn(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }
}
