// /outbox: what is too old to be sent by itself waits here for a word.
import type { UnsentMessage } from "../../../link/model/send-queue.ts";
import { usage } from "../../process/exit.ts";
import { type ChatActions, type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const outbox: ChatCommand = {
  name: "outbox",
  isLocal: true,
  usage: "[ACTION ID]",
  summary: "unsent for over an hour: list, send or drop",
  details: [
    "Alone, or as /outbox list, it shows them.",
    "/outbox send ID sends one, /outbox drop ID forgets it; all in place of an ID is every one.",
  ],
  run(chat, rest) {
    const [action = "list", id] = words(outbox, rest, 2);
    if (action === "list" && id === undefined) {
      chat.show({ kind: "held-back", messages: chat.link.heldBack, asked: true });
      return;
    }
    if (id === undefined || (action !== "send" && action !== "drop")) {
      throw usage("usage: /outbox, /outbox send ID, /outbox drop ID; all in place of an ID is every one");
    }
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
