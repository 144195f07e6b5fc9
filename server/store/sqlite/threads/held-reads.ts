// Reads under way on the reader's thread; an answer that saw a group not yet announced is held until it is.
import { StoreUnavailableError } from "../../store.ts";
import type { Call } from "../operations/operations.ts";
import type { ReadAnswer } from "./reader.ts";

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HeldReads {
  readonly #send: (id: number, call: Call) => void;
  readonly #pending = new Map<number, Pending>();
  /** Answers that wait for a group, oldest first; groups only rise along it. */
  #held: { pending: Pending; group: number; value: unknown }[] = [];
  #lastId = 0;
  #toldGroup: number;
  #ended: string | undefined;
  #onIdle: (() => void) | undefined;

  /** `toldGroup`: the last group in the data when it was opened. */
  constructor(toldGroup: number, send: (id: number, call: Call) => void) {
    this.#toldGroup = toldGroup;
    this.#send = send;
  }

  call(call: Call): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(new StoreUnavailableError(this.#ended));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#send(id, call);
    });
  }

  /** Takes the reader's answer. */
  settle(id: number, answer: ReadAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new Error("an answer to no read");
    this.#pending.delete(id);
    if (!answer.ok) {
      pending.reject(
        answer.unavailable ? new StoreUnavailableError(answer.message) : new Error(answer.message),
      );
    } else if (answer.group <= this.#toldGroup) pending.resolve(answer.value);
    else this.#held.push({ pending, group: answer.group, value: answer.value });
    this.#checkIdle();
  }

  /** The group was announced: what saw it, and no later one, may be seen. */
  told(group: number): void {
    this.#toldGroup = group;
    const free = this.#held.findIndex((held) => held.group > group);
    const released = free === -1 ? this.#held.splice(0) : this.#held.splice(0, free);
    for (const { pending, value } of released) pending.resolve(value);
    this.#checkIdle();
  }

  /** Refuses further reads, and waits for those under way. */
  async finish(): Promise<void> {
    this.#ended ??= "the store is closed";
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#checkIdle();
    });
  }

  /** Gives up all that waits: a thread is gone. */
  fail(reason: string): void {
    this.#ended = reason;
    const waiting = [...this.#held.map((held) => held.pending), ...this.#pending.values()];
    this.#held = [];
    this.#pending.clear();
    for (const { reject } of waiting) reject(new StoreUnavailableError(reason));
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#pending.size === 0 && this.#held.length === 0) this.#onIdle?.();
  }
}
