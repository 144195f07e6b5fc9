// Calls that were ended but whose peer does not take the rest: after a while their connection is cut, as grpc-js offers
// no way to reset a single stream. Without it a peer that never reads could pile up answers.

/** How long a peer may take for what is on its way to it when its call ends, ms. */
const LINGER_MS = 10_000;
const SWEEP_MS = 1_000;

/** Cuts the connection whose far end is this address and port. */
export type CutConnection = (peer: string) => void;

interface EndedCall {
  once(event: "cancelled", listener: () => void): unknown;
}

export class LingeringCalls {
  readonly #deadlines = new Map<EndedCall, { readonly peer: string; readonly at: number }>();
  readonly #lingerMs: number;
  #sweeping: NodeJS.Timeout | undefined;
  #cut: CutConnection | undefined;

  constructor(lingerMs: number = LINGER_MS) {
    this.#lingerMs = lingerMs;
  }

  /** Until it is known how to cut, calls are left to linger. */
  set cut(cut: CutConnection) {
    this.#cut = cut;
  }

  /** Watches a call that was just ended; grpc-js says "cancelled" when its last bytes are handed over, or it is lost. */
  watch(call: EndedCall, peer: string): void {
    if (this.#cut === undefined) return;
    this.#deadlines.set(call, { peer, at: performance.now() + this.#lingerMs });
    call.once("cancelled", () => this.#deadlines.delete(call));
    this.#sweeping ??= setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#lingerMs)).unref();
  }

  #sweep(): void {
    const now = performance.now();
    // In the order in which they were ended, so the rest is younger.
    for (const [call, { peer, at }] of this.#deadlines) {
      if (at > now) break;
      this.#deadlines.delete(call);
      this.#cut?.(peer);
    }
    if (this.#deadlines.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }
}
