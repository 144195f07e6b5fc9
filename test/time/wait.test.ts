// Waiting within bounds: the outcomes, and that no listener is left behind.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { delay, waitFor } from "../../time/wait.ts";

const never = new Promise<never>(() => undefined);

describe("waitFor", () => {
  test("returns the value of a promise that settles first", async () => {
    expect(await waitFor(Promise.resolve(7), { ms: 60_000 })).toEqual({ status: "done", value: 7 });
  });

  test("throws what the promise rejects with", async () => {
    await expect(waitFor(Promise.reject(new Error("no")), { ms: 60_000 })).rejects.toThrow("no");
  });

  test('reports "late" after the deadline', async () => {
    expect(await waitFor(never, { ms: 1 })).toEqual({ status: "late" });
  });

  test('reports "aborted", also for a signal that is already aborted', async () => {
    const stop = new AbortController();
    const waiting = waitFor(never, { signal: stop.signal });
    stop.abort();
    expect(await waiting).toEqual({ status: "aborted" });
    expect(await waitFor(never, { signal: stop.signal })).toEqual({ status: "aborted" });
  });

  test("prefers a promise that is already settled", async () => {
    expect(await waitFor(Promise.resolve(1), { signal: AbortSignal.abort() })).toEqual({
      status: "done",
      value: 1,
    });
  });

  test("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    await waitFor(Promise.resolve(), { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

test("delay distinguishes the end of the time from an abort", async () => {
  expect(await delay(1)).toBe("elapsed");
  expect(await delay(60_000, AbortSignal.abort())).toBe("aborted");
});
