// parley who: lists the other users who are or were online.

import { parseDuration } from "../../../command-line/durations.ts";
import { UserPresence } from "../../../gen/parley/chat/v1/directory_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name, time } from "../command/show.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: {
    since: {
      value: "TIME",
      help: "Also list users who were online at any moment of this time span: 90, 90s, 10m, 2h, 7d.",
      read: parseDuration,
    },
    ...accountFlags,
  },
  about: ["Prints one name per line. The name of a user who is no longer online is followed by the time."],
  json: "UserPresence, one for each user.",
  examples: ["", "--since 10m"],
  run: async (call) => {
    const { since } = call.values;
    await withAccount(call, "reads", async ({ account }) => {
      for await (const user of account.listUsers(since === undefined ? {} : { onlineWithinMs: since })) {
        const message = { typeName: "parley.chat.v1.UserPresence", codec: UserPresence, value: user };
        const who = line`${name(user.user?.username ?? "?")}${user.bot ? "  bot" : ""}`;
        await call.output.result(
          message,
          user.online ? who : line`${who}  until ${time(user.lastOnlineTime)}`,
        );
      }
    });
    return undefined;
  },
});
