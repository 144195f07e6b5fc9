// /retry: does not wait for the next attempt to connect.
import { type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const retry: ChatCommand = {
  name: "retry",
  isLocal: true,
  usage: "",
  summary: "while the connection is lost: try again now",
  run(chat, rest) {
    words(retry, rest, 0);
    if (chat.link.state.phase !== "waiting")
      throw refuse("There is nothing to retry: the connection is not lost.");
    chat.link.retryNow();
  },
};
