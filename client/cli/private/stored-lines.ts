// Prints or deletes the lines of private chats that are stored on this device, for `parley history`. Calls no server.

import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { PrivateLine } from "../../state/private-lines.ts";
import { withProfile } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { name, privateLine } from "../command/show.ts";
import { CommandError, Exit } from "../process/exit.ts";
import type { Message } from "../process/output.ts";
import { line } from "../terminal/text/style.ts";

export interface StoredLinesOptions {
  readonly username: string;
  /** How many of the newest lines to print. */
  readonly count: number;
  /** Delete all lines instead of printing them. */
  readonly forget: boolean;
}

/**
 * @throws CommandError with exit code 1 if deleted text may remain in the file, and as
 *   withProfile
 */
export async function handleStoredLines(
  call: AccountCall,
  { username, count, forget }: StoredLinesOptions,
): Promise<undefined> {
  return withProfile(call, async (state, { profileId, username: me }) => {
    const lines = state.privateLines(profileId);
    if (forget) {
      const forgotten = lines.forget(username);
      const what = forgotten.lines === 1 ? "1 line is" : `${forgotten.lines} lines are`;
      const words = line`${what} deleted from private chats with ${name(username)}.`;
      if (call.json) call.output.notice(words.plain);
      else await call.output.line(words);
      if (forgotten.isGone) return;
      throw new CommandError(
        Exit.REFUSED,
        "Their text may still be in the state file, because another parley uses it. Run the same command again in a moment.",
      );
    }
    const kept = lines.last(username, count);
    if (kept.length === 0)
      call.output.notice(`No lines of private chats with ${username} are stored on this device.`);
    for (const one of kept) await call.output.result(itemMessage(one, me), privateLine(one, me));
  });
}

/** A stored line as an entry of a history: it has names, a time and a text, and no ids and no number. */
function itemMessage({ username, mine, time, text }: PrivateLine, me: string): Message<HistoryItem> {
  const user = (name: string): User => ({ userId: "", username: name });
  const value: Entry = {
    conversationId: "",
    seq: 0n,
    kind: ConversationKind.DIRECT,
    sender: user(mine ? me : username),
    recipient: user(mine ? username : me),
    sendTime: time,
    content: { kind: { $case: "text", value: text } },
  };
  return {
    typeName: "parley.chat.v1.HistoryItem",
    codec: HistoryItem,
    value: { item: { $case: "entry", value } },
  };
}
