// parley ask: sends a message, and prints the next message of that user, so that a script can ask a person.

import { parseWait } from "../../../command-line/durations.ts";
import { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../../gen/parley/chat/v1/event.ts";
import type { Link } from "../../link/link.ts";
import { cursorsAtHeads, raise } from "../../link/receiving/heads.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { name, text } from "../command/show.ts";
import { filled, listen, throwEnding } from "../log/reading.ts";
import { messageText, type Sent, sendFlags, sendText, sentLine } from "../log/sending.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const defaultTimeoutMs = 600_000;

const flags = {
  timeout: { value: "TIME", help: "How long to wait for the answer. Default: 10m.", read: parseWait },
  ...sendFlags,
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["USER TEXT…", "USER -"],
  words: { least: 2, most: Number.POSITIVE_INFINITY },
  flags,
  about: [
    "Sends as send does, and prints the text of the user's first message after it. Exit code 6 says that no answer " +
      "arrived in time; --id then continues to wait without sending again. Characters that could harm a terminal are " +
      "made visible in the answer, also in a pipe; --json is exact. No marker moves.",
  ],
  json: "Entry: the answer.",
  examples: ["yoda shall I deploy?", "yoda --timeout 1h --json - < question.txt"],
  run: async (call) => {
    const [username = "", ...words] = call.words;
    await withAccount(call, "changes", async (signedIn, context) => {
      const question = await messageText(call, words);
      const sent = await sendText(signedIn, context, call, { kind: "user", username }, question);
      // Only for a person: a script reads the answer alone.
      if (call.environment.stderr.isTTY && !call.json)
        call.output.notice(`${sentLine(signedIn, name(username), sent.ack).plain} Waiting for the answer.`);
      // The link starts right after the sent message, so no answer is missed.
      const cursors = await cursorsAtHeads(signedIn.account);
      cursors.forget(sent.ack.conversationId);
      raise(cursors, sent.ack.conversationId, sent.ack.seq);
      await using link = listen(signedIn, cursors, false);
      const timeout = call.values.timeout ?? defaultTimeoutMs;
      const timer = setTimeout(() => void link[Symbol.asyncDispose](), timeout);
      const answer = await nextOf(link, sent.ack, signedIn.profile.userId).finally(() => clearTimeout(timer));
      if (answer === undefined) throw noAnswer(call, username, sent);
      await call.output.result(
        { typeName: "parley.chat.v1.Entry", codec: Entry, value: answer },
        text(answer),
      );
    });
    return undefined;
  },
});

/** The next message of the other user; undefined if the link is closed first. @throws the error that ended the link */
async function nextOf(link: Link, { conversationId }: Ack, userId: string): Promise<Entry | undefined> {
  for await (const event of link.events) {
    if (!("conversationId" in event) || event.conversationId !== conversationId) continue;
    if (event.type === "entry" && !event.mine) return event.entry;
    if (event.type !== "gap" || !event.fillable) continue;
    for await (const { item } of filled(link.account, event)) {
      if (item?.$case === "entry" && item.value.sender?.userId !== userId) return item.value;
    }
  }
  throwEnding(link);
  return undefined;
}

function noAnswer(call: Call<typeof flags>, username: string, { clientMessageId, ack }: Sent): CommandError {
  const { program } = call.environment;
  const asFlag = call.values.as === undefined ? [] : ["--as", call.values.as];
  const again = commandLine(program, "ask", username, "--id", String(clientMessageId), ...asFlag);
  return new CommandError(
    Exit.NO_ANSWER,
    `${username} has not answered number ${ack.seq} in time. To continue to wait without sending it again: ${again} and the same text.`,
  );
}
