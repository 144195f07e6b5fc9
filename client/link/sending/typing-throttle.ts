// Drops repeated typing notices: a reader's copy of one lasts 10 s, so a repetition within 2 s changes nothing.

/** A notice that equals the last one is dropped for this long, ms. */
const REPEAT_MS = 2_000;

export class TypingThrottle {
  #last: { readonly notice: string; readonly time: number } | undefined;

  /** Whether to send the notice. @param notice what it says and about which conversation, as a key to compare */
  admits(notice: string): boolean {
    const time = performance.now();
    if (this.#last?.notice === notice && time - this.#last.time < REPEAT_MS) return false;
    this.#last = { notice, time };
    return true;
  }
}
