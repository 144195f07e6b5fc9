// Cuts the connections of peers that do not receive the rest of an ended call, since grpc-js cannot reset a single
// stream. Otherwise answers for a peer that never reads would accumulate.

/** How long a peer may take to receive the rest of a call after the call ended, ms. */
const LINGER_MS = 10_000;
const SWEEP_MS = 1_000;

/** Cuts the connection to the peer with this address and port. */
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

  /** Sets the function that cuts a connection. Calls that end before it is set are not watched. */
  set cut(cut: CutConnection) {
    this.#cut = cut;
  }

  /**
   * Watches a call that was just ended. grpc-js emits "cancelled" when the last bytes are handed over or the call is
   * lost.
   */
  watch(call: EndedCall, peer: string): void {
    if (this.#cut === undefined) return;
    this.#deadlines.set(call, { peer, at: performance.now() + this.#lingerMs });
    call.once("cancelled", () => this.#deadlines.delete(call));
    this.#sweeping ??= setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#lingerMs)).unref();
  }

  #sweep(): void {
    const now = performance.now();
    // The calls are in the order in which they ended.
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
