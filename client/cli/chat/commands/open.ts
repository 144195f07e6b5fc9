// /open USER: opens a conversation, so that lines go to that user.
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

export const open: ChatCommand = {
  name: "open",
  isLocal: true,
  usage: "USER",
  summary: "open a conversation: lines are sent to that user",
  details: ["Shows the end of the conversation unless it is on the screen already, and marks it as read."],
  async run(chat, rest) {
    const [username] = words(open, rest, 1);
    if (username === undefined) throw usageOf(open);
    await chat.open(usernameOf(username));
  },
};
