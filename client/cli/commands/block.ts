// parley block: blocks a user.
import { Block } from "../../../gen/parley/chat/v1/block_service.ts";
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
  about: [
    "You no longer receive anything that this user sends, and this user no longer sees when you are online. The server " +
      "does not notify the user. You can still send to this user. The block lasts until unblock.",
  ],
  json: "Block: the blocked user, and the time of the block.",
  examples: ["vader"],
  run: async (call) => {
    const [username = ""] = call.words;
    await withAccount(call, "changes", async ({ account, profile }) => {
      const block = await namingUser(account, username, () => account.blockUser(username));
      const message = { typeName: "parley.chat.v1.Block", codec: Block, value: block };
      await call.output.result(message, line`Blocked ${name(username)} as ${name(profile.username)}.`);
    });
    return undefined;
  },
});
