// The engines of the store, by the scheme of the URL that names the data.
import { sqliteEngine } from "./sqlite/sqlite-engine.ts";
import type { AccountStores, StoreEngine } from "./store-engine.ts";

const engines: Readonly<Record<string, StoreEngine>> = {
  /** The SQLite database with this path. */
  "file:": sqliteEngine,
};

/** @throws RangeError if no store has the scheme of the URL */
export function engineOf(url: URL): StoreEngine {
  const engine = engines[url.protocol];
  if (engine !== undefined) return engine;
  throw new RangeError(
    `no store has URLs with ${url.protocol}; known are ${Object.keys(engines).join(", ")}`,
  );
}

/** Opens the accounts that the URL names; see StoreEngine. */
export async function openAccounts(url: URL): Promise<AccountStores> {
  return engineOf(url).openAccounts(url);
}
