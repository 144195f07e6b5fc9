// Gives the command line tools in-process access to the users of a database, even while a server uses it.
import { dirname } from "node:path";
import type { AccountStore, AdminStore, LogInStore } from "../store.ts";
import { checkData } from "./database/data-check.ts";
import { type Database, openDatabase } from "./database/database.ts";
import { tryLockDataFolder } from "./database/lock.ts";
import { migrateNewOnly } from "./migrations.ts";
import { accountOperations } from "./operations/accounts.ts";
import { adminOperations } from "./operations/admin.ts";
import { logInOperations } from "./operations/log-ins.ts";
import type { AnyOperations } from "./operations/operation.ts";

/**
 * The parts of a store that have users. Each call commits before its promise resolves, and waits up to 5 s for a
 * transaction of the server.
 */
export interface DirectAccounts extends Disposable {
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly logIns: LogInStore;
}

/**
 * Opens the accounts, and creates the database if missing. Throws DatabaseRefusedError, whose text is for the operator.
 */
export function openAccountsDirectly(file: string): DirectAccounts {
  checkUnlessServed(file);
  const database = openDatabase({ file });
  try {
    migrateNewOnly(database, file);
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
  return {
    accounts: methodsOn<AccountStore>(database, accountOperations),
    admin: methodsOn<AdminStore>(database, adminOperations),
    logIns: methodsOn<LogInStore>(database, logInOperations),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

/** A server that uses the data has checked it at its start. */
function checkUnlessServed(file: string): void {
  using lock = tryLockDataFolder(dirname(file));
  if (lock !== undefined) checkData(file);
}

/** The operations as methods, each in a transaction of its own. */
function methodsOn<T>(database: Database, operations: AnyOperations): T {
  const methods: Record<string, (...args: never[]) => Promise<unknown>> = {};
  for (const [name, { run }] of Object.entries(operations)) {
    methods[name] = async (...args) => database.transaction(() => run(database, ...args));
  }
  return methods as T;
}
