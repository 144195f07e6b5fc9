// The main thread's end of one of the store's threads: starts it, speaks with it, notices its death, ends it.
import { Worker } from "node:worker_threads";
import { DatabaseRefusedError } from "../database/database.ts";
import type { Answer, Request, ThreadOptions } from "./worker.ts";
import type { DataState } from "./writer.ts";

export interface ThreadListener {
  /** What the thread has to say, but the answers to `open` and `close`. */
  onAnswer(answer: Answer): void;
  /** The thread is gone without having been asked to. Called once. */
  onDeath(error: Error): void;
}

export class StoreThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #opening: PromiseWithResolvers<DataState | undefined> | undefined;
  /** No death is told any more: it was told, or the thread was asked to end. */
  #settled = false;

  constructor(options: ThreadOptions, listener: ThreadListener) {
    // Sources run as .ts in a clone and as .js in the published package; the neighbour is of the same kind.
    const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
    this.#worker = new Worker(new URL(`./worker${extension}`, import.meta.url), {
      workerData: options,
      name: `store ${options.role}`,
    });
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
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
      exited.resolve();
      die(new Error(`the ${options.role}'s thread ended by itself (${code})`));
    });
    this.#worker.on("message", (answer: Answer) => {
      if (answer.type === "opened") this.#opening?.resolve(answer.state);
      else if (answer.type === "refused") this.#opening?.reject(new DatabaseRefusedError(answer.message));
      else listener.onAnswer(answer);
    });
  }

  post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  /** Rejects with DatabaseRefusedError where the database cannot be served. */
  open(): Promise<DataState | undefined> {
    this.#opening = Promise.withResolvers();
    this.post({ type: "open" });
    return this.#opening.promise;
  }

  /** Lets the thread finish what it was sent, and waits for its end. */
  async close(): Promise<void> {
    this.#settled = true;
    this.post({ type: "close" });
    await this.#exited;
  }
}
