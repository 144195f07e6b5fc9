// Runs the store's reader and writer on the thread of the test: that costs a tenth of starting two worker threads.
import { DatabaseRefusedError } from "../../../server/store/sqlite/database/database.ts";
import type { DataState, Request, ThreadAnswer } from "../../../server/store/sqlite/threads/messages.ts";
import { readerRole } from "../../../server/store/sqlite/threads/reader.ts";
import { type Role, takeRequest } from "../../../server/store/sqlite/threads/request-loop.ts";
import type { StartThread, Thread, ThreadListener } from "../../../server/store/sqlite/threads/thread.ts";
import { writerRole } from "../../../server/store/sqlite/threads/writer.ts";

/** The option `startThread` of `openSqliteStore`. As between threads, messages are copied and delivered later. */
export const startInProcess: StartThread = (options, listener) =>
  new InProcessThread(options.role === "writer" ? writerRole(options) : readerRole(options), listener);

class InProcessThread implements Thread {
  readonly #role: Role;
  readonly #listener: ThreadListener;
  readonly #opening = Promise.withResolvers<DataState | undefined>();
  readonly #closed = Promise.withResolvers<void>();
  #closing = false;
  #dead = false;

  constructor(role: Role, listener: ThreadListener) {
    this.#role = role;
    this.#listener = listener;
  }

  get exited(): Promise<void> {
    return this.#closed.promise;
  }

  open(): Promise<DataState | undefined> {
    this.post({ type: "open" });
    return this.#opening.promise;
  }

  post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    const copy = structuredClone(request, { transfer: [...transfer] });
    setImmediate(() => this.#take(copy));
  }

  close(): Promise<void> {
    this.#closing = true;
    this.post({ type: "close" });
    return this.#closed.promise;
  }

  #take(request: Request): void {
    if (this.#dead && request.type !== "close") return;
    try {
      takeRequest(this.#role, request, (answer, transfer = []) =>
        this.#answer(structuredClone(answer, { transfer: [...transfer] })),
      );
    } catch (error) {
      this.#dead = true;
      if (!this.#closing) this.#listener.onDeath(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #answer(answer: ThreadAnswer): void {
    if (answer.type === "opened") this.#opening.resolve(answer.state);
    else if (answer.type === "refused") this.#opening.reject(new DatabaseRefusedError(answer.message));
    else if (answer.type === "closed") this.#closed.resolve();
    else this.#listener.onAnswer(answer);
  }
}
