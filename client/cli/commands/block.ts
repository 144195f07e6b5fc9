// parley block: shuts a user out.
import { Block } from "../../../gen/parley/chat/v1/block_service.ts";
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
    "Nothing that the other one sends reaches you any more, and the other one does not see when you come and go. Nobody " +
      "is told. You can still write there. It lasts until unblock.",
  ],
  json: "Block: who is blocked, and since when.",
  examples: ["vader"],
  run: async (call) => {
    const [username = ""] = call.words;
    await withAccount(call, "changes", async ({ account }) => {
      const block = await account.blockUser(username);
      const message = { typeName: "parley.chat.v1.Block", codec: Block, value: block };
      await call.output.result(message, line`${name(username)} is blocked.`);
    });
    return undefined;
  },
});
