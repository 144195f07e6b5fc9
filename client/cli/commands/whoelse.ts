// parley whoelse: the names of the others who are online.
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { printNames } from "../log/names.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: ["One name a line."],
  json: "UserPresence, one for each user.",
  examples: [""],
  run: async (call) => {
    await printNames(call, undefined);
    return undefined;
  },
});
