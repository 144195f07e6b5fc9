// Opens one stream after another until the link ends: attempts, the delays between them, and what each failure means.
import { waitFor } from "../../../time/wait.ts";
import { ServerChangedError } from "../model/errors.ts";
import type { LinkEnding, LinkState } from "../model/events.ts";
import type { Backoff } from "./backoff.ts";
import { decideRetry } from "./retry-decision.ts";

/** A stream that was live for longer than this, ms, resets the backoff: its failure counts as the first. */
const goodStreamMs = 5_000;

/** How one stream ended. */
export interface AttemptResult {
  readonly failure: Error;
  /** How long the stream was live, ms; undefined if it was never live. */
  readonly liveMs: number | undefined;
}

export interface ReconnectorOptions {
  readonly backoff: Backoff;
  /** Aborted when the link ends. */
  readonly signal: AbortSignal;
  readonly onState: (state: LinkState) => void;
  /** Opens a stream and reads it to its end. Never rejects. */
  readonly attempt: () => Promise<AttemptResult>;
  /** Forgets the cursor that the server refused; undefined: all. Returns false if none was sent. */
  readonly forgetCursor: (index: number | undefined) => boolean;
}

export class Reconnector {
  readonly #options: ReconnectorOptions;
  #endDelay: (() => void) | undefined;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
  }

  /** Ends the delay before the next attempt. Does nothing during an attempt. */
  retryNow(): void {
    this.#endDelay?.();
  }

  /** Resolves when the link has to end. */
  async run(): Promise<LinkEnding> {
    const { backoff, signal, onState, attempt, forgetCursor } = this.#options;
    let previous: Error | undefined;
    for (let count = 1; !signal.aborted; count++) {
      onState({ phase: "connecting", attempt: count });
      const { failure, liveMs = 0 } = await attempt();
      if (signal.aborted) break;
      if (liveMs > goodStreamMs) {
        backoff.reset();
        count = 0;
      }
      const decision = decideRetry(failure);
      switch (decision.kind) {
        case "end":
          return decision.ending;
        case "reset-cursor":
          if (!forgetCursor(decision.cursorIndex)) return { kind: "refused", cause: decision.cause };
          await this.#wait(0, failure);
          break;
        case "retry":
          // Nothing is lost, so a program does not report this. A server that changes its id each time has to wait.
          if (failure instanceof ServerChangedError && !(previous instanceof ServerChangedError)) break;
          await this.#wait(backoff.next(decision.floorMs), failure);
      }
      previous = failure;
    }
    return { kind: "closed" };
  }

  async #wait(ms: number, cause: Error): Promise<void> {
    const { onState, signal } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    onState({ phase: "waiting", retryTime: new Date(Date.now() + ms), cause });
    await waitFor(promise, { ms, signal });
    this.#endDelay = undefined;
  }
}
