// /close: from now on a line is a command.
import { type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const close: ChatCommand = {
  name: "close",
  isLocal: true,
  usage: "",
  summary: "end it: from now on lines are commands",
  run(chat, rest) {
    words(close, rest, 0);
    if (chat.openPlace === undefined) throw refuse("No conversation is open.");
    chat.close();
  },
};
