// parley whoelsesince: the names of the others who were online within so many seconds.

import { parseSeconds } from "../../../command-line/durations.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { printNames } from "../log/names.ts";

export const command = defineCommand({
  forms: ["SECONDS"],
  words: { least: 1, most: 1 },
  flags: accountFlags,
  about: [
    "One name a line: who was online at any moment in this last while, however long the session began before it. Any " +
      "whole number will do; 0 is who is online now.",
  ],
  json: "UserPresence, one for each user.",
  examples: ["200"],
  run: async (call) => {
    await printNames(call, parseSeconds(call.words[0] ?? ""));
    return undefined;
  },
});
