// Opens the accounts of the data folder for the commands that read or change users.
import { pathToFileURL } from "node:url";
import { dataFiles } from "../files/data-folder.ts";
import { type Config, dataOf } from "../settings/config.ts";
import { engineOf } from "../store/engines.ts";
import type { AccountStores } from "../store/store-engine.ts";
import { CommandFailure } from "./command.ts";

/** Opens the accounts, and creates the data if it is missing. A server may use the data. */
export function openAccountsOf(config: Config): Promise<AccountStores> {
  const url = urlOf(config);
  return engineOf(url).openAccounts(url);
}

/** Like openAccountsOf, but creates nothing. @throws CommandFailure if there is no data */
export async function openExistingAccounts(config: Config): Promise<AccountStores> {
  await checkExists(config);
  return openAccountsOf(config);
}

/** A mistyped folder would otherwise look like a server without users. @throws CommandFailure if there is no data */
export async function checkExists(config: Config): Promise<void> {
  const url = urlOf(config);
  if (await engineOf(url).hasData(url)) return;
  throw new CommandFailure(`there is no Parley data in ${dataOf(config)}; give another folder with --data`);
}

function urlOf(config: Config): URL {
  return pathToFileURL(dataFiles(dataOf(config)).database);
}
