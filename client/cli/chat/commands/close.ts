// /close: closes the open conversation, so that lines are commands.
import { type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const close: ChatCommand = {
  name: "close",
  isLocal: true,
  usage: "",
  summary: "close the conversation: lines are commands again",
  run(chat, rest) {
    words(close, rest, 0);
    if (chat.openPlace === undefined) throw refuse("No conversation is open.");
    chat.close();
  },
};
