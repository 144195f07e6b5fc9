// Waits until a check passes, for as long as a loaded machine may need: the wait is long only if the test fails.
import { vi } from "vitest";

const MOST_MS = 30_000;

/** @param mostMs for a check that something else would also make pass later */
export async function eventually(check: () => void | Promise<void>, mostMs = MOST_MS): Promise<void> {
  await vi.waitFor(check, { timeout: mostMs });
}
