// Waits for a promise within bounds: a deadline, an abort, or both. No timer or listener is left behind.

export interface Bounds {
  /** Stop waiting after this many milliseconds. */
  readonly ms?: number | undefined;
  /** Stop waiting when this signal is aborted; immediately if it is aborted already. */
  readonly signal?: AbortSignal | undefined;
}

export type Waited<T> =
  | { readonly status: "done"; readonly value: T }
  | { readonly status: "late" }
  | { readonly status: "aborted" };

/**
 * Waits for the promise within the bounds. If the wait ends first, the promise is not cancelled, and a later rejection
 * is not reported as unhandled.
 * @throws the reason with which the promise rejects, if it settles first
 */
export function waitFor<T>(promise: Promise<T>, { ms, signal }: Bounds): Promise<Waited<T>> {
  return new Promise<Waited<T>>((resolve, reject) => {
    const onAbort = (): void => settle(() => resolve({ status: "aborted" }));
    const timer =
      ms === undefined ? undefined : setTimeout(() => settle(() => resolve({ status: "late" })), ms);
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      how();
    };
    promise.then(
      (value) => settle(() => resolve({ status: "done", value })),
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason is passed on unchanged
      (error: unknown) => settle(() => reject(error)),
    );
    // A promise that is already settled takes precedence over a signal that is already aborted.
    if (signal?.aborted === true) queueMicrotask(onAbort);
    else signal?.addEventListener("abort", onAbort);
  });
}

/** Waits for `ms` milliseconds, or until the signal is aborted. */
export async function delay(ms: number, signal?: AbortSignal): Promise<"elapsed" | "aborted"> {
  const { status } = await waitFor(new Promise<never>(() => undefined), { ms, signal });
  return status === "late" ? "elapsed" : "aborted";
}
