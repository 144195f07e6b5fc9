// parley send: sends a message to a user, and reports when it is stored.

import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { ackMessage, messageText, sendFlags, sendText, sentLine } from "../log/sending.ts";

export const command = defineCommand({
  forms: ["USER TEXT…", "USER -"],
  words: { least: 2, most: Number.POSITIVE_INFINITY },
  flags: { ...sendFlags, ...accountFlags },
  about: [
    "The words of the text are joined by spaces; - reads the text from standard input, without the newline at its end. " +
      "The command repeats the attempt under the same id until the message is stored or refused, or the time has passed. " +
      "Exit code 0 says that it is stored; 5 that this is not known, and then --id repeats it safely.",
  ],
  json: "Ack: the conversation, and the message's number in it.",
  examples: ["yoda do or do not", "yoda - < letter.txt", "yoda --json -- --wait is a flag, and this is not"],
  run: async (call) => {
    const [username = "", ...words] = call.words;
    await withAccount(call, "changes", async (signedIn, context) => {
      const text = await messageText(call, words);
      const { ack } = await sendText(signedIn, context, call, { kind: "user", username }, text);
      await call.output.result(ackMessage(ack), sentLine(signedIn, name(username), ack));
    });
    return undefined;
  },
});
