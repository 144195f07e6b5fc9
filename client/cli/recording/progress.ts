// Waits until something is true, as long as something goes on.
import { after } from "../../link/waiting.ts";

export class Progress {
  #next = Promise.withResolvers<void>();

  /** Something happened that may have made it true. */
  tell(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Whether it came true; false where nothing happened for so long, ms. */
  async until(isTrue: () => boolean, patienceMs: number): Promise<boolean> {
    while (!isTrue()) {
      using patience = after(patienceMs);
      const goesOn = await Promise.race([
        this.#next.promise.then(() => true),
        patience.promise.then(() => false),
      ]);
      if (!goesOn) return false;
    }
    return true;
  }
}
