// /open USER: from now on a line goes to that user.
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

export const open: ChatCommand = {
  name: "open",
  isLocal: true,
  usage: "USER",
  summary: "start a conversation: from now on lines go there",
  details: ["Shows the end of the conversation if none of it is on the screen, and counts it as read."],
  async run(chat, rest) {
    const [username] = words(open, rest, 1);
    if (username === undefined) throw usageOf(open);
    await chat.open(usernameOf(username));
  },
};
