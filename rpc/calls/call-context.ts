// What a handler knows about the call that it answers.
import type { Metadata } from "@grpc/grpc-js";

export interface CallContext {
  /** The full path, such as "/package.Service/Method". */
  readonly method: string;
  /** What the caller sent along. */
  readonly metadata: Metadata;
  /** Address and port of the caller, as grpc-js gives them. */
  readonly peer: string;
  /** Aborted when the call is cancelled, its deadline passes, or its connection is lost. */
  readonly signal: AbortSignal;
}

/** The part of grpc-js's server calls that a context needs. */
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
    // Asked now: once the connection is gone it is no longer known.
    this.peer = call.getPeer();
    this.#cancelled = call.cancelled;
    call.once("cancelled", () => {
      this.#cancelled = true;
      // grpc-js reports an answered call as cancelled, too.
      if (!this.#settled) this.#controller?.abort();
    });
  }

  /** Made when first asked for: most calls are over without anybody looking. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#cancelled && !this.#settled) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether the call is over on the wire: answered, cancelled or lost. */
  get isOver(): boolean {
    return this.#cancelled;
  }

  /** From now on the end of the call is ours, and aborts nothing. */
  settle(): void {
    this.#settled = true;
  }
}
