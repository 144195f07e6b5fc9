// parley broadcast: sends a message to all users who are online.

import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { ackMessage, messageText, sendFlags, sendText, sentLine, WITHHELD } from "../log/sending.ts";
import { Styled } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["TEXT…", "-"],
  words: { least: 1, most: Number.POSITIVE_INFINITY },
  flags: { ...sendFlags, ...accountFlags },
  about: [
    "As send, to all users. The message is stored once. The users who are online now can read it, now and later.",
  ],
  json: "Ack: the broadcast conversation, and the message's number in it.",
  examples: ["the bridge opens at noon"],
  run: async (call) => {
    await withAccount(call, "changes", async (signedIn, context) => {
      const text = await messageText(call, call.words);
      const { ack } = await sendText(signedIn, context, call, { kind: "broadcast" }, text);
      await call.output.result(ackMessage(ack), sentLine(signedIn, Styled.of("everyone"), ack));
      if (ack.withheld) call.output.notice(WITHHELD);
    });
    return undefined;
  },
});
