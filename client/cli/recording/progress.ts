// Waits for a condition while there is progress.
import { waitFor } from "../../../time/wait.ts";

export class Progress {
  #next = Promise.withResolvers<void>();

  /** Reports progress, after which the condition is checked again. */
  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Waits for the condition. Resolves to false if there is no progress for `idleMs` milliseconds. */
  async until(condition: () => boolean, idleMs: number): Promise<boolean> {
    while (!condition()) {
      const { status } = await waitFor(this.#next.promise, { ms: idleMs });
      if (status === "late") return false;
    }
    return true;
  }
}
