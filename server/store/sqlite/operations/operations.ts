// Everything that can be asked of the data but appending, by area and name, as synchronous functions.
import type { AccountStore, BlockStore, IdentityStore, LogInStore, PresenceStore } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { accountOperations } from "./accounts.ts";
import { blockOperations } from "./blocks.ts";
import { identityOperations } from "./identities.ts";
import { type LogOperations, logOperations } from "./log.ts";
import { logInOperations } from "./log-ins.ts";
import { presenceOperations } from "./presence.ts";
import type { Synchronous } from "./synchronous.ts";

export interface Operations {
  accounts: Synchronous<AccountStore>;
  presence: Synchronous<PresenceStore>;
  blocks: Synchronous<BlockStore>;
  logIns: Synchronous<LogInStore>;
  identities: Synchronous<IdentityStore>;
  log: LogOperations;
}

export function operationsOn(database: Database): Operations {
  return {
    accounts: accountOperations(database),
    presence: presenceOperations(database),
    blocks: blockOperations(database),
    logIns: logInOperations(database),
    identities: identityOperations(database),
    log: logOperations(database),
  };
}

/** One call of an operation, in a shape that goes between threads. */
export interface Call {
  readonly area: keyof Operations;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Runs a call. Types are the maker's part: `caller` below makes only calls that exist. */
export function perform(operations: Operations, call: Call): unknown {
  const area = operations[call.area] as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  const operation = area[call.name];
  if (operation === undefined) throw new TypeError(`no operation ${call.area}.${call.name}`);
  return operation(...call.args);
}

/** A function that makes calls of one area and hands them to `send`, with the operation's own types. */
export function caller<A extends keyof Operations>(area: A, send: (call: Call) => Promise<unknown>) {
  return <N extends keyof Operations[A] & string>(
    name: N,
    ...args: Operations[A][N] extends (...args: infer P) => unknown ? P : never
  ): Promise<Operations[A][N] extends (...args: never) => infer R ? R : never> =>
    send({ area, name, args }) as Promise<Operations[A][N] extends (...args: never) => infer R ? R : never>;
}
