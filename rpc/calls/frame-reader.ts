// Reads the incoming messages of a bidirectional call one by one, as fast as they are asked for and no faster.
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { Undecodable } from "./decode.ts";

interface Waiting<T> {
  resolve(frame: T | undefined): void;
  reject(error: unknown): void;
}

/**
 * It MUST:
 *  1. hand out every message, in order, however many come in one DATA frame of HTTP/2;
 *  2. read at most one message ahead; while it lies here, HTTP/2 flow control holds the peer back. grpc-js alone would read
 *     up to 16 ahead, of up to the receive limit each.
 */
export class FrameReader<T> implements AsyncIterable<T> {
  /** One at most, as long as the stream gives no more than it was asked for. */
  readonly #ahead: (T | Undecodable)[] = [];
  /** The stream was asked for a message that has not come yet. */
  #isAsked = false;
  #waiting: Waiting<T> | undefined;
  /** A read that the stream wants to do and that has to wait until the message before is taken. */
  #heldRead: (() => void) | undefined;
  #ended = false;

  constructor(call: ServerDuplexStream<T | Undecodable, Buffer>) {
    // `_read` is where a Readable asks its source for one more. Where grpc-js has it already, it is pushed at once, and the
    // Readable asks again before it has emitted "data" for the first one.
    const read = call._read.bind(call);
    call._read = (size) => {
      this.#heldRead = () => read(size);
      this.#resume();
    };
    call.on("data", (frame: T | Undecodable) => this.#onFrame(frame));
    for (const event of ["end", "cancelled", "close", "error"]) call.once(event, () => this.#onEnd());
  }

  /**
   * The next message; undefined when the peer has half-closed or is gone. One call at a time.
   * @param signal gives up waiting; no message is lost by it
   * @throws RpcError UNDECODABLE for a message that is none, after which reading may go on; the signal's reason
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

  /** Lets the stream read, if it wants to, and nothing is ahead or under way. */
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
  return reason instanceof Error ? reason : new Error("given up", { cause: reason });
}
