// Reads the incoming messages of a bidirectional call one by one, only as fast as the handler asks for them.
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { interceptReads } from "../grpc-js-internals.ts";
import { Undecodable } from "./decode.ts";

interface Waiting<T> {
  resolve(frame: T | undefined): void;
  reject(error: unknown): void;
}

/**
 * A frame reader MUST:
 *  1. return every message, in order, also when several arrive in one DATA frame of HTTP/2;
 *  2. read at most one message ahead, so that HTTP/2 flow control holds the peer back. grpc-js alone reads up to 16
 *     ahead, each of up to the receive limit.
 */
export class FrameReader<T> implements AsyncIterable<T> {
  /** The message that was read ahead: at most one, since the stream emits one message for each read. */
  readonly #ahead: (T | Undecodable)[] = [];
  /** Whether a read is under way whose message has not arrived yet. */
  #isAsked = false;
  #waiting: Waiting<T> | undefined;
  /** A read of the stream that is held back until the previous message is taken. */
  #heldRead: (() => void) | undefined;
  #ended = false;

  constructor(call: ServerDuplexStream<T | Undecodable, Buffer>) {
    interceptReads(call, (read) => {
      this.#heldRead = read;
      this.#resume();
    });
    call.on("data", (frame: T | Undecodable) => this.#onFrame(frame));
    for (const event of ["end", "cancelled", "close", "error"]) call.once(event, () => this.#onEnd());
  }

  /**
   * Returns the next message, or undefined after the peer has half-closed or the call was lost. Only one call may be in
   * progress.
   * @param signal ends the wait without losing a message
   * @throws RpcError UNDECODABLE for a malformed message, after which reading can go on; the reason of `signal`
   */
  next(signal?: AbortSignal): Promise<T | undefined> {
    if (this.#waiting !== undefined)
      return Promise.reject(new Error("A FrameReader has one reader at a time."));
    const frame = this.#ahead.shift();
    if (frame !== undefined) {
      this.#resume();
      return frame instanceof Undecodable ? Promise.reject(frame.toRpcError()) : Promise.resolve(frame);
    }
    if (this.#ended) return Promise.resolve(undefined);
    return this.#wait(signal);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return;
      yield frame;
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    if (signal === undefined) {
      this.#waiting = { resolve, reject };
      return promise;
    }
    if (signal.aborted) return Promise.reject(asError(signal.reason));
    const abort = (): void => {
      this.#waiting = undefined;
      reject(asError(signal.reason));
    };
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    this.#waiting = {
      resolve: (frame) => {
        settled();
        resolve(frame);
      },
      reject: (error) => {
        settled();
        reject(error);
      },
    };
    return promise;
  }

  #onFrame(frame: T | Undecodable): void {
    this.#isAsked = false;
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#ahead.push(frame);
      return;
    }
    this.#waiting = undefined;
    if (frame instanceof Undecodable) waiting.reject(frame.toRpcError());
    else waiting.resolve(frame);
    this.#resume();
  }

  #onEnd(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(undefined);
    this.#resume();
  }

  /** Does the held read, if there is one, unless a message is ahead or a read is under way. */
  #resume(): void {
    const read = this.#heldRead;
    const isFree = this.#ahead.length === 0 && !this.#isAsked;
    if (read === undefined || !(isFree || this.#ended)) return;
    this.#heldRead = undefined;
    this.#isAsked = true;
    read();
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}
