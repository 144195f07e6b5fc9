// /outbox: messages that were unsent for too long to be sent without asking the user.
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import { usage } from "../../process/exit.ts";
import { type ChatActions, type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const outbox: ChatCommand = {
  name: "outbox",
  isLocal: true,
  usage: "[ACTION ID]",
  summary: "messages unsent for over an hour: list, send, drop",
  details: [
    "/outbox, or /outbox list, lists the messages with their IDs.",
    '/outbox send ID sends a message, /outbox drop ID discards it. Use "all" as ID for all messages.',
  ],
  run(chat, rest) {
    const [action = "list", id] = words(outbox, rest, 2);
    if (action === "list" && id === undefined) {
      chat.show({ kind: "held-back", messages: chat.link.heldBack, asked: true });
      return;
    }
    if (id === undefined || (action !== "send" && action !== "drop")) {
      throw usage('Usage: /outbox, /outbox send ID or /outbox drop ID, with "all" as ID for all messages');
    }
    const chosen = choose(chat, id);
    const done = chosen.filter(({ clientMessageId }) =>
      action === "send" ? chat.link.release(clientMessageId) : chat.link.drop(clientMessageId),
    );
    const what = done.length === 1 ? "message" : "messages";
    const text = action === "send" ? `Sending ${done.length} ${what}.` : `${done.length} ${what} dropped.`;
    chat.show({ kind: "answer", lines: [text] });
  },
};

function choose(chat: ChatActions, id: string): readonly UnsentMessage[] {
  const held = chat.link.heldBack;
  if (id === "all") return held;
  const chosen = held.filter(({ clientMessageId }) => String(clientMessageId) === id);
  if (chosen.length === 0) throw refuse(`The outbox has no message ${id}. /outbox lists its messages.`);
  return chosen;
}
