// Opens the accounts of a database without the threads of a store, even while a server uses it.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AccountStore, AdminStore, LogInStore } from "../store.ts";
import type { StoreEngine } from "../store-engine.ts";
import { checkData } from "./database/data-check.ts";
import { type Database, openDatabase } from "./database/database.ts";
import { tryLockDataFolder } from "./database/lock.ts";
import { migrateNewOnly } from "./migrations.ts";
import { accountOperations } from "./operations/accounts.ts";
import { adminOperations } from "./operations/admin.ts";
import { logInOperations } from "./operations/log-ins.ts";
import type { AnyOperations } from "./operations/operation.ts";

/** The accounts of the SQLite database that a file URL names. A call waits up to 5 s for a transaction of the server. */
export const sqliteEngine: StoreEngine = {
  hasData: async (url) => Promise.resolve(existsSync(fileURLToPath(url))),

  openAccounts: async (url) => {
    const file = fileURLToPath(url);
    checkUnlessServed(file);
    const database = openDatabase({ file });
    try {
      migrateNewOnly(database, file);
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
    return Promise.resolve({
      accounts: methodsOn<AccountStore>(database, accountOperations),
      admin: methodsOn<AdminStore>(database, adminOperations),
      logIns: methodsOn<LogInStore>(database, logInOperations),
      [Symbol.asyncDispose]: async () => Promise.resolve(database[Symbol.dispose]()),
    });
  },
};

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
