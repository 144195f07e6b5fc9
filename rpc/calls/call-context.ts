// The context of a call, which the handler receives together with the request.
import type { Metadata } from "@grpc/grpc-js";

export interface CallContext {
  /** The full path, such as "/package.Service/Method". */
  readonly method: string;
  /** The metadata that the caller sent. */
  readonly metadata: Metadata;
  /** The address and port of the caller, in the form that grpc-js gives them. */
  readonly peer: string;
  /** Aborted when the call is cancelled, its deadline passes, or its connection is lost. */
  readonly signal: AbortSignal;
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

  constructor(call: ServerCall) {
    this.method = call.getPath();
    this.metadata = call.metadata;
    // Read it now, because grpc-js no longer knows it after the connection is lost.
    this.peer = call.getPeer();
    this.#cancelled = call.cancelled;
    call.once("cancelled", () => {
      this.#cancelled = true;
      // grpc-js also emits "cancelled" for a call that was answered.
      if (!this.#settled) this.#controller?.abort();
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

  /** Call it before the answer is sent. From then on, the end of the call does not abort the signal. */
  settle(): void {
    this.#settled = true;
  }
}
