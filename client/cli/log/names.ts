// Prints the names of the others who are, or were, online: one a line.
import { UserPresence } from "../../../gen/parley/chat/v1/directory_service.ts";
import { withAccount } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { name } from "../command/show.ts";

/** @param withinMs who was online in this last while; undefined: who is now */
export async function printNames(call: AccountCall, withinMs: number | undefined): Promise<void> {
  await withAccount(call, "reads", async ({ account }) => {
    for await (const user of account.listUsers(withinMs === undefined ? {} : { onlineWithinMs: withinMs })) {
      const message = { typeName: "parley.chat.v1.UserPresence", codec: UserPresence, value: user };
      await call.output.result(message, name(user.user?.username ?? "?"));
    }
  });
}
