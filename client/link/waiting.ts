// Promises of a time and of an abort that leave nothing behind when they are no longer waited for.

export interface Waiting extends Disposable {
  /** Never rejects. */
  readonly promise: Promise<void>;
}

/** Resolves after that time, ms. */
export function after(ms: number): Waiting {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return { promise, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Resolves when the signal is aborted, at once if it is. */
export function whenAborted(signal: AbortSignal): Waiting {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = (): void => resolve();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", listener);
  return { promise, [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
}
