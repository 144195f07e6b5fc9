// Gives the command line tools synchronous, in-process access to the accounts of a database, even while a server uses
// it.
import type { AccountStore } from "../store.ts";
import { type Database, openDatabase } from "./database/database.ts";
import { migrateNewOnly } from "./migrations.ts";
import { accountOperations } from "./operations/accounts.ts";
import type { AnyOperations, Synchronous } from "./operations/operation.ts";

export interface DirectAccounts extends Disposable {
  /**
   * The operations of AccountStore. Each call commits before it returns, and waits up to 5 s for a transaction of the
   * server.
   */
  readonly accounts: Synchronous<AccountStore>;
}

/**
 * Opens the accounts, and creates the database if missing. Throws DatabaseRefusedError, whose text is for the operator.
 */
export function openAccountsDirectly(file: string): DirectAccounts {
  const database = openDatabase({ file });
  try {
    migrateNewOnly(database, file);
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
  return {
    accounts: accountsOn(database),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

/** The account operations, each in a transaction of its own. */
function accountsOn(database: Database): Synchronous<AccountStore> {
  const operations: AnyOperations = accountOperations;
  const accounts: Record<string, (...args: never[]) => unknown> = {};
  for (const [name, { run }] of Object.entries(operations)) {
    accounts[name] = (...args) => database.transaction(() => run(database, ...args));
  }
  return accounts as Synchronous<AccountStore>;
}
