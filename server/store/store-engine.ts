// What each kind of store does besides serving: it finds its data by a URL, and opens parts of it for the commands.
import type { AccountStore, LogInStore } from "./account-store.ts";
import type { AdminStore } from "./admin-store.ts";

/** The parts of a store that have users. They need neither the log nor its threads. */
export interface AccountStores extends AsyncDisposable {
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly logIns: LogInStore;
}

export interface StoreEngine {
  /** Whether the URL names data. */
  hasData(url: URL): Promise<boolean>;
  /**
   * Opens the accounts, also while servers use the data, and creates the data if it is missing. Each call commits before
   * its promise resolves. Rejects with an error whose text is for the operator if the data cannot be used.
   */
  openAccounts(url: URL): Promise<AccountStores>;
}
