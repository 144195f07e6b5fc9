// /retry: tries to connect now instead of waiting for the next attempt.
import { type ChatCommand, refuse, words } from "../command/chat-command.ts";

export const retry: ChatCommand = {
  name: "retry",
  isLocal: true,
  usage: "",
  summary: "reconnect now, while the connection is lost",
  run(chat, rest) {
    words(retry, rest, 0);
    if (chat.link.state.phase !== "waiting") throw refuse("Nothing to retry: the connection is not lost.");
    chat.link.retryNow();
  },
};
