// /broadcast TEXT: sends one message to everyone.

import { type ChatCommand, usageOf } from "../command/chat-command.ts";
import { everyone } from "../model/place.ts";

export const broadcast: ChatCommand = {
  name: "broadcast",
  sends: true,
  usage: "TEXT",
  summary: "send a message to everyone who is online",
  async run(chat, rest) {
    if (rest.trim() === "") throw usageOf(broadcast);
    await chat.send(everyone, rest);
  },
};
