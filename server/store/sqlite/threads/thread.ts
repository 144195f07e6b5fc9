// The main thread's side of one of the store's threads: starts it, sends requests, detects its death, and ends it.
import { Worker } from "node:worker_threads";
import { DatabaseRefusedError } from "../database/database.ts";
import type { DataState, ReaderOptions, Request, ThreadAnswer, WriterOptions } from "./messages.ts";

export type ThreadOptions = ({ role: "writer" } & WriterOptions) | ({ role: "reader" } & ReaderOptions);

export interface ThreadListener {
  /** Called with every answer except those to `open` and `close`. */
  onAnswer(answer: ThreadAnswer): void;
  /** Called once if the thread ends without being asked to. */
  onDeath(error: Error): void;
}

/** One of the store's threads, as the main thread uses it. */
export interface Thread {
  /** Opens the database. Rejects with DatabaseRefusedError if it cannot be served. */
  open(): Promise<DataState | undefined>;
  post(request: Request, transfer?: readonly ArrayBuffer[]): void;
  /** Lets the thread finish the requests it was sent, and waits until its connection is closed. */
  close(): Promise<void>;
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>;
}

export type StartThread = (options: ThreadOptions, listener: ThreadListener) => Thread;

export const startWorker: StartThread = (options, listener) => new WorkerThread(options, listener);

class WorkerThread implements Thread {
  readonly #worker: Worker;
  readonly #exited = Promise.withResolvers<void>();
  /** Resolved when the thread has closed its connection, or has ended. */
  readonly #closed = Promise.withResolvers<void>();
  #opening: PromiseWithResolvers<DataState | undefined> | undefined;
  /** Whether a death must no longer be reported, because it was reported before or the thread was asked to end. */
  #settled = false;

  constructor(options: ThreadOptions, listener: ThreadListener) {
    this.#worker = new Worker(entryOf(options.role), {
      workerData: options,
      name: `store ${options.role}`,
    });
    const die = (error: Error) => {
      if (this.#settled) return;
      this.#settled = true;
      this.#opening?.reject(error);
      listener.onDeath(error);
    };
    this.#worker.on("error", (error) => {
      die(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("messageerror", die);
    this.#worker.on("exit", (code) => {
      this.#closed.resolve();
      this.#exited.resolve();
      die(new Error(`the ${options.role}'s thread ended unexpectedly (exit code ${code})`));
    });
    this.#worker.on("message", (answer: ThreadAnswer) => {
      if (answer.type === "opened") this.#opening?.resolve(answer.state);
      else if (answer.type === "refused") this.#opening?.reject(new DatabaseRefusedError(answer.message));
      else if (answer.type === "closed") this.#closed.resolve();
      else listener.onAnswer(answer);
    });
  }

  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  open(): Promise<DataState | undefined> {
    this.#opening = Promise.withResolvers();
    this.post({ type: "open" });
    return this.#opening.promise;
  }

  async close(): Promise<void> {
    this.#settled = true;
    this.post({ type: "close" });
    await this.#closed.promise;
  }
}

/** The entry point of the thread. It has the extension of this file: .ts in a clone, .js in the published package. */
function entryOf(role: ThreadOptions["role"]): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${role}-thread.${extension}`, import.meta.url);
}
