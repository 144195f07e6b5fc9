// The accounts of a database for the command line tools: in-process, synchronous, also while a server runs on it.
import type { AccountStore } from "../store.ts";
import { openDatabase } from "./database/database.ts";
import { migrateNewOnly } from "./migrations.ts";
import { accountOperations } from "./operations/accounts.ts";
import type { Synchronous } from "./operations/synchronous.ts";

export interface DirectAccounts extends Disposable {
  /** As AccountStore's; each call commits before it returns, waiting up to 5 s for a server's transaction. */
  readonly accounts: Synchronous<AccountStore>;
}

/** Creates the database where missing. Throws DatabaseRefusedError, whose text is for the operator. */
export function openAccountsDirectly(file: string): DirectAccounts {
  const database = openDatabase({ file });
  try {
    migrateNewOnly(database, file);
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
  return {
    accounts: eachInTransaction(accountOperations(database), (work) => database.transaction(work)),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

type Operation = (...args: never[]) => unknown;

/** The same operations, each whole or not at all. */
function eachInTransaction<T extends object>(operations: T, transaction: <R>(work: () => R) => R): T {
  const wrapped = Object.entries<Operation>(operations as Record<string, Operation>).map(
    ([name, operation]) => [name, (...args: never[]) => transaction(() => operation(...args))] as const,
  );
  return Object.fromEntries(wrapped) as T;
}
