// Fails a test after which a rejection is left unhandled; call it at the top of a test file.
import { afterAll, afterEach, beforeAll, expect } from "vitest";

export function failOnUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const collect = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on("unhandledRejection", collect));
  afterAll(() => void process.off("unhandledRejection", collect));
  afterEach(() => expect(unhandled).toEqual([]));
}
