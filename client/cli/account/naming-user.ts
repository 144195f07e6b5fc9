// Names the user whom a command line means in the refusal of an unknown name, with the name that was probably meant.
import { closest } from "../../../command-line/closest.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Account } from "../../link/server/account.ts";
import { CommandError, Exit } from "../process/exit.ts";

const RECENT_MS = 30 * 24 * 60 * 60_000;
/** The most names that are compared. */
const MOST_NAMES = 1_000;

/** Does the work. @throws CommandError if it is refused because there is no user of that name; what the work throws */
export async function namingUser<T>(account: Account, username: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RpcError) || error.reason !== "USER_NOT_FOUND") throw error;
    const near = closest(username, await recentNames(account));
    const meant = near === undefined ? "" : ` Did you mean ${near}?`;
    const message = `There is no user ${username}.${meant} (USER_NOT_FOUND)`;
    throw new CommandError(Exit.REFUSED, message, { cause: error });
  }
}

/** The users who were online lately. Without an answer there are none, because another error is reported already. */
async function recentNames(account: Account): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { user } of account.listUsers({ onlineWithinMs: RECENT_MS, background: true })) {
      names.push(user?.username ?? "");
      if (names.length === MOST_NAMES) break;
    }
  } catch (error) {
    if (!(error instanceof RpcError || error instanceof ConnectError)) throw error;
  }
  return names;
}
