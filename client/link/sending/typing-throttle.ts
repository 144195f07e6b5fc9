// Drops typing notices that are repeated within 2 s. A notice is valid for 10 s, so these change nothing.

/** A notice that equals the last one is dropped for this long, ms. */
const REPEAT_MS = 2_000;

export class TypingThrottle {
  #last: { readonly notice: string; readonly time: number } | undefined;

  /** Whether to send the notice. @param notice a key that identifies the conversation and what the notice says */
  admits(notice: string): boolean {
    const time = performance.now();
    if (this.#last?.notice === notice && time - this.#last.time < REPEAT_MS) return false;
    this.#last = { notice, time };
    return true;
  }
}
