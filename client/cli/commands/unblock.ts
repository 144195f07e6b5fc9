// parley unblock: removes a block.
import { User } from "../../../gen/parley/chat/v1/user.ts";
import { namingUser } from "../account/naming-user.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 1, most: 1 },
  flags: accountFlags,
  about: ["Messages that the block withheld are not delivered later."],
  json: "User: the user who is no longer blocked.",
  examples: ["vader"],
  run: async (call) => {
    const [username = ""] = call.words;
    await withAccount(call, "changes", async ({ account, profile }) => {
      const user = await namingUser(account, username, () => account.unblockUser(username));
      const message = { typeName: "parley.chat.v1.User", codec: User, value: user };
      await call.output.result(message, line`Unblocked ${name(username)} as ${name(profile.username)}.`);
    });
    return undefined;
  },
});
