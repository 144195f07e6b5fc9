// /accept and /refuse: answer a request for a private chat.
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";
import { pathOf } from "../command/path-flags.ts";

export const accept: ChatCommand = {
  name: "accept",
  isLocal: true,
  usage: "USER",
  summary: "accept a request for a private chat",
  details: [
    "/accept USER --direct: directly from device to device; both of you see each other's address.",
    "/accept USER --relay: through the server, which cannot read it.",
    "Add --always to accept all later requests by USER in the same way; /refuse USER undoes that.",
  ],
  async run(chat, rest) {
    const [username, ...flags] = words(accept, rest, 3);
    if (username === undefined) throw usageOf(accept);
    const { path, always } = pathOf(accept, flags, true);
    await chat.privates.accept(usernameOf(username), path, always);
    if (always) chat.privates.showAlways(username);
  },
};

export const refuseChat: ChatCommand = {
  name: "refuse",
  isLocal: true,
  usage: "USER",
  summary: "refuse a request for a private chat",
  details: ["Without a request by USER, it undoes /accept USER --always."],
  async run(chat, rest) {
    const [username] = words(refuseChat, rest, 1);
    if (username === undefined) throw usageOf(refuseChat);
    await chat.privates.refuse(usernameOf(username));
  },
};
