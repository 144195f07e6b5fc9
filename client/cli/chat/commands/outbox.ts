// /outbox: what is too old to be sent by itself waits here for a word.
import type { UnsentMessage } from "../../../link/send-queue.ts";
import { type ChatActions, type ChatCommand, refuse, usageOf, words } from "./command.ts";

export const outbox: ChatCommand = {
  name: "outbox",
  usage: "[send|drop ID|all]",
  summary: "unsent for over an hour: send or drop them",
  details: ["Alone, or with list, it shows them. all, in place of an ID, is every one of them."],
  run(chat, rest) {
    const [action = "list", id] = words(outbox, rest, 2);
    if (action === "list" && id === undefined) {
      chat.show({ kind: "held-back", messages: chat.link.heldBack, asked: true });
      return;
    }
    if (id === undefined || (action !== "send" && action !== "drop")) throw usageOf(outbox);
    const chosen = choose(chat, id);
    const done = chosen.filter(({ clientMessageId }) =>
      action === "send" ? chat.link.release(clientMessageId) : chat.link.drop(clientMessageId),
    );
    const what = done.length === 1 ? "message" : "messages";
    const text = action === "send" ? `${done.length} ${what} on the way.` : `${done.length} ${what} dropped.`;
    chat.show({ kind: "answer", lines: [text] });
  },
};

function choose(chat: ChatActions, id: string): readonly UnsentMessage[] {
  const held = chat.link.heldBack;
  if (id === "all") return held;
  const chosen = held.filter(({ clientMessageId }) => String(clientMessageId) === id);
  if (chosen.length === 0) throw refuse(`No message ${id} waits for an answer. /outbox lists those that do.`);
  return chosen;
}
