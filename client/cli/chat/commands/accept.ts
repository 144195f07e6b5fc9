// /accept and /refuse: the answer to somebody who asks for a private chat.
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";
import { pathOf } from "../command/path-flags.ts";

export const accept: ChatCommand = {
  name: "accept",
  isLocal: true,
  usage: "USER",
  summary: "say yes to somebody who asks for a private chat",
  details: [
    "/accept USER --direct: from device to device, so that both see each other's address.",
    "/accept USER --relay: through the server only, which cannot read it.",
    "With --always it is yes from now on, in this way; /refuse USER takes that back.",
  ],
  async run(chat, rest) {
    const [username, ...flags] = words(accept, rest, 3);
    if (username === undefined) throw usageOf(accept);
    const { path, always } = pathOf(accept, flags, true);
    await chat.privates.accept(usernameOf(username), path, always);
    if (always) chat.privates.tellAlways(username);
  },
};

export const refuseChat: ChatCommand = {
  name: "refuse",
  isLocal: true,
  usage: "USER",
  summary: "say no to somebody who asks for a private chat",
  details: ["From somebody who does not ask, and is let in always, it takes that back."],
  async run(chat, rest) {
    const [username] = words(refuseChat, rest, 1);
    if (username === undefined) throw usageOf(refuseChat);
    await chat.privates.refuse(usernameOf(username));
  },
};
