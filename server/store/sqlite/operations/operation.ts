// An operation of the store: a synchronous function over one connection, marked with the thread that runs it.
import type { Database } from "../database/database.ts";

/** "patient writer" is the writer too, but the call may wait a moment so that it shares a commit with other writes. */
export type Runner = "reader" | "writer" | "patient writer";

export interface Operation<A extends readonly unknown[], R> {
  readonly runner: Runner;
  readonly run: (database: Database, ...args: A) => R;
}

/** The operations that implement an interface: one for each method, with the method's parameters and result. */
export type Operations<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? Operation<A, R> : never;
};

/** Operations by name, whatever their parameters and results. */
export type AnyOperations = Readonly<Record<string, Operation<never[], unknown>>>;

/** An interface whose methods return their results instead of promises. */
export type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : never;
};

/** An operation that only reads: it runs on the reader's thread, in a snapshot. */
export function read<A extends readonly unknown[], R>(run: Operation<A, R>["run"]): Operation<A, R> {
  return { runner: "reader", run };
}

/** An operation that may write: it runs on the writer's thread, in a savepoint of the group's transaction. */
export function write<A extends readonly unknown[], R>(run: Operation<A, R>["run"]): Operation<A, R> {
  return { runner: "writer", run };
}

/** A write that is not urgent: it joins the next group, and commits by itself if none follows soon. */
export function patientWrite<A extends readonly unknown[], R>(run: Operation<A, R>["run"]): Operation<A, R> {
  return { runner: "patient writer", run };
}
