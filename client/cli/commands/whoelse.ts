// parley whoelse: prints the names of the other users who are online.
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { printNames } from "../log/names.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: ["Prints one name per line."],
  json: "UserPresence, one for each user.",
  examples: [""],
  run: async (call) => {
    await printNames(call, undefined);
    return undefined;
  },
});
