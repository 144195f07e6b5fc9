// parley whoelsesince: prints the names of the other users who were online within a number of seconds.

import { parseSeconds } from "../../../command-line/durations.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { printNames } from "../log/names.ts";

export const command = defineCommand({
  forms: ["SECONDS"],
  words: { least: 1, most: 1 },
  flags: accountFlags,
  about: [
    "Prints one name per line: the users who were online at any moment of the last SECONDS, a whole number. 0 prints who " +
      "is online now.",
  ],
  json: "UserPresence, one for each user.",
  examples: ["200"],
  run: async (call) => {
    await printNames(call, parseSeconds(call.words[0] ?? ""));
    return undefined;
  },
});
