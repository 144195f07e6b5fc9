// Tracks the reads on the reader's thread. An answer that saw a group is held until that group has been announced.
import { StoreDamagedError, StoreUnavailableError } from "../../store.ts";
import type { OperationCall } from "../operations/operations.ts";
import type { ReadAnswer, ReadFailure } from "./messages.ts";

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HeldReads {
  readonly #send: (id: number, call: OperationCall) => void;
  readonly #pending = new Map<number, Pending>();
  /** Answers that wait for the announcement of a group, oldest first. The group numbers in the array never decrease. */
  #held: { pending: Pending; group: number; value: unknown }[] = [];
  #lastId = 0;
  #announced: number;
  #ended: string | undefined;
  #onIdle: (() => void) | undefined;

  /** @param lastGroup the number of the last commit in the data when it was opened */
  constructor(lastGroup: number, send: (id: number, call: OperationCall) => void) {
    this.#announced = lastGroup;
    this.#send = send;
  }

  call(call: OperationCall): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(new StoreUnavailableError(this.#ended));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#send(id, call);
    });
  }

  /** Takes the reader's answer to the read with this id. */
  settle(id: number, answer: ReadAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new Error("the reader answered a read that nothing waits for");
    this.#pending.delete(id);
    if (!answer.ok) {
      pending.reject(errorOf(answer.failure, answer.message));
    } else if (answer.group <= this.#announced) pending.resolve(answer.value);
    else this.#held.push({ pending, group: answer.group, value: answer.value });
    this.#checkIdle();
  }

  /** Call it when the group was announced. Releases the answers that saw no later group. */
  release(group: number): void {
    this.#announced = group;
    const free = this.#held.findIndex((held) => held.group > group);
    const released = free === -1 ? this.#held.splice(0) : this.#held.splice(0, free);
    for (const { pending, value } of released) pending.resolve(value);
    this.#checkIdle();
  }

  /** Refuses further reads, and waits until the pending ones are answered. */
  async finish(): Promise<void> {
    this.#ended ??= "the store is closed";
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#checkIdle();
    });
  }

  /** Rejects all reads, because a thread has ended. */
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

function errorOf(failure: ReadFailure, message: string): Error {
  switch (failure) {
    case "unavailable":
      return new StoreUnavailableError(message);
    case "damaged":
      return new StoreDamagedError(message);
    case "wrong":
      return new Error(message);
  }
}
