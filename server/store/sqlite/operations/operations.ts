// The table of all operations except append, by area and name, and the calls of operations that pass between threads.
import type { Database } from "../database/database.ts";
import { accountOperations } from "./accounts.ts";
import { adminOperations } from "./admin.ts";
import { blockOperations } from "./blocks.ts";
import { identityOperations } from "./identities.ts";
import { logOperations } from "./log/log-operations.ts";
import { logInOperations } from "./log-ins.ts";
import type { AnyOperations, Operation, Runner } from "./operation.ts";
import { nodeOperations } from "./presence/nodes.ts";
import { presenceOperations } from "./presence/presence.ts";

const table = {
  accounts: accountOperations,
  admin: adminOperations,
  nodes: nodeOperations,
  presence: presenceOperations,
  blocks: blockOperations,
  logIns: logInOperations,
  identities: identityOperations,
  log: logOperations,
};

type Table = typeof table;
export type Area = keyof Table;

/** One call of an operation, in a shape that can be sent to a thread. */
export interface OperationCall {
  readonly area: Area;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** One method for each operation of an area. It resolves with what the operation returns. */
export type Methods<A extends Area> = {
  readonly [N in keyof Table[A]]: Table[A][N] extends Operation<infer P, infer R>
    ? (...args: P) => Promise<R>
    : never;
};

/**
 * Makes the methods of an area. Each passes its call to `send`, which must have `perform` run it on the runner's
 * thread, and resolve with the result.
 */
export function methodsOf<A extends Area>(
  area: A,
  send: (runner: Runner, call: OperationCall) => Promise<unknown>,
): Methods<A> {
  const operations: AnyOperations = table[area];
  const methods: Record<string, (...args: unknown[]) => Promise<unknown>> = {};
  for (const [name, { runner }] of Object.entries(operations)) {
    methods[name] = (...args) => send(runner, { area, name, args });
  }
  return methods as Methods<A>;
}

/** Runs a call. Its arguments fit the operation, because only the methods above make calls. */
export function perform(database: Database, { area, name, args }: OperationCall): unknown {
  const operations: AnyOperations = table[area];
  const operation = operations[name];
  if (operation === undefined) throw new TypeError(`the store has no operation ${area}.${name}`);
  return operation.run(database, ...(args as never[]));
}
