// Prints the names of the other users who are or were online, one per line.
import { UserPresence } from "../../../gen/parley/chat/v1/directory_service.ts";
import { withAccount } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { name } from "../command/show.ts";

/** @param withinMs include the users who were online within this time; undefined: only those who are online now */
export async function printNames(call: AccountCall, withinMs: number | undefined): Promise<void> {
  await withAccount(call, "reads", async ({ account }) => {
    for await (const user of account.listUsers(withinMs === undefined ? {} : { onlineWithinMs: withinMs })) {
      const message = { typeName: "parley.chat.v1.UserPresence", codec: UserPresence, value: user };
      await call.output.result(message, name(user.user?.username ?? "?"));
    }
  });
}
