// parley blocks: lists the users that the user has blocked.
import { Block } from "../../../gen/parley/chat/v1/block_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: ["Prints one name per line."],
  json: "Block, one for each user.",
  examples: [""],
  run: async (call) => {
    await withAccount(call, "reads", async ({ account }) => {
      for await (const block of account.listBlocks()) {
        const message = { typeName: "parley.chat.v1.Block", codec: Block, value: block };
        await call.output.result(message, name(block.user?.username ?? "?"));
      }
    });
    return undefined;
  },
});
