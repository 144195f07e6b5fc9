// How one implementation of an operation serves both the threads and the tools: without its promise.

/** An interface with its promises taken away. */
export type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : never;
};
