// The context of a call, which the handler receives together with the request.
import type { Metadata } from "@grpc/grpc-js";

/** What counts the answer of a unary call until the client has taken it. */
export interface AnswerHold extends Disposable {
  /**
   * Called once, when the answer is encoded.
   * @param bytes its length before compression
   * @param sentBytes its length on the wire
   */
  prepared(bytes: number, sentBytes: number): void;
}

export interface CallContext {
  /** The full path, such as "/package.Service/Method". */
  readonly method: string;
  /** The metadata that the caller sent. */
  readonly metadata: Metadata;
  /** The address and port of the caller, in the form that grpc-js gives them. */
  readonly peer: string;
  /** Aborted when the call is cancelled, its deadline passes, or its connection is lost. */
  readonly signal: AbortSignal;
  /**
   * Counts the answer of this unary call. The hold is disposed of when the transport has taken the answer, or when the
   * call is lost and its handler has returned. Call it at most once.
   * @param compress whether a long answer is compressed if the client accepts that
   */
  holdAnswer(hold: AnswerHold, compress: boolean): void;
}

/** The members of grpc-js's server calls that a context uses. */
interface ServerCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  getPeer(): string;
  once(event: "cancelled", listener: () => void): unknown;
}

export class ServerCallContext implements CallContext {
  readonly method: string;
  readonly metadata: Metadata;
  readonly peer: string;
  #cancelled: boolean;
  #settled = false;
  #controller: AbortController | undefined;
  #hold: AnswerHold | undefined;
  #compress = false;

  constructor(call: ServerCall) {
    this.method = call.getPath();
    this.metadata = call.metadata;
    // Read it now, because grpc-js no longer knows it after the connection is lost.
    this.peer = call.getPeer();
    this.#cancelled = call.cancelled;
    call.once("cancelled", () => {
      this.#cancelled = true;
      // grpc-js also emits "cancelled" for a call that was answered.
      if (this.#settled) this.#release();
      else this.#controller?.abort();
    });
  }

  /** The signal is created on first use, since most handlers do not use it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#cancelled && !this.#settled) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether the call has ended on the wire: answered, cancelled or lost. */
  get hasEnded(): boolean {
    return this.#cancelled;
  }

  /** Whether a long answer may be compressed. */
  get compress(): boolean {
    return this.#compress;
  }

  holdAnswer(hold: AnswerHold, compress: boolean): void {
    this.#hold = hold;
    this.#compress = compress;
  }

  /**
   * Call it before the answer is sent. From then on, the end of the call does not abort the signal.
   * @param bytes the length of the answer before compression; 0 for an error
   * @param sentBytes its length on the wire
   */
  settle(bytes = 0, sentBytes = bytes): void {
    this.#settled = true;
    this.#hold?.prepared(bytes, sentBytes);
    // grpc-js has emitted "cancelled" already.
    if (this.#cancelled) this.#release();
  }

  #release(): void {
    this.#hold?.[Symbol.dispose]();
    this.#hold = undefined;
  }
}
