// Bounds the calls that need no token and may last for ever. Each takes some 10 KiB. Beyond the bound the oldest one ends,
// so that a stranger cannot keep out who asks now.
import { status } from "@grpc/grpc-js";
import { RpcError } from "../status/status.ts";

/** The most such calls of a service. */
const MOST_CALLS = 1_000;
const RETRY_MS = 2_000;

export class LongCalls {
  /** What ends each call, oldest first. */
  readonly #open = new Set<AbortController>();

  /** Counts a call until it is disposed of. The signal is aborted with an RpcError if the call has to end. */
  enter(): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController();
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MOST_CALLS) {
      this.#open.delete(oldest);
      oldest.abort(tooMany());
    }
    this.#open.add(controller);
    return { signal: controller.signal, [Symbol.dispose]: () => this.#open.delete(controller) };
  }
}

function tooMany(): RpcError {
  const message = "Too many calls of this kind are open: this one was the oldest. Call again.";
  return new RpcError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "OVERLOADED",
    message,
    retryDelayMs: RETRY_MS,
  });
}
