// /message USER TEXT: sends one message, whichever conversation is open.

import { type ChatCommand, splitWord, usageOf, usernameOf } from "../command/chat-command.ts";
import { withUser } from "../model/place.ts";

export const message: ChatCommand = {
  name: "message",
  sends: true,
  aliases: ["msg"],
  usage: "USER TEXT",
  summary: "send one message, whichever conversation is open",
  details: ["TEXT is the rest of the line, exactly as typed."],
  async run(chat, rest) {
    const { word, rest: text } = splitWord(rest);
    if (word === "" || text === undefined || text.trim() === "") throw usageOf(message);
    await chat.send(withUser(usernameOf(word)), text);
  },
};
