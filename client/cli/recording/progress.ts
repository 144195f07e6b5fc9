// Waits until something is true, as long as something goes on.
import { waitFor } from "../../../time/wait.ts";

export class Progress {
  #next = Promise.withResolvers<void>();

  /** Something happened that may have made it true. */
  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Whether it came true; false where nothing happened for so long, ms. */
  async until(isTrue: () => boolean, patienceMs: number): Promise<boolean> {
    while (!isTrue()) {
      const { status } = await waitFor(this.#next.promise, { ms: patienceMs });
      if (status === "late") return false;
    }
    return true;
  }
}
