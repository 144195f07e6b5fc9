// parley token: prints the session's token, for other programs that call the server.

import { grantMessage } from "../account/credentials.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { Styled } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: [
    "A program that has the token can act as the user until the session ends, so keep it out of logs. The server is " +
      "not called.",
  ],
  json: "Grant: the token and its session, without the device's secret.",
  examples: ["", "--as yoda"],
  run: async (call) => {
    await withAccount(call, "reads", async ({ token, profile }) => {
      await call.output.result(grantMessage(profile, token), Styled.of(token));
    });
    return undefined;
  },
});
