// /startprivate, /private and /stopprivate: chats from device to device, which no server can read.

import { type ChatCommand, refuse, splitWord, usageOf, usernameOf, words } from "../command/chat-command.ts";
import { pathOf } from "../command/path-flags.ts";
import { privately, samePlace } from "../model/place.ts";

export const startprivate: ChatCommand = {
  name: "startprivate",
  isLocal: true,
  usage: "USER",
  summary: "ask for a private chat, which no server can read",
  details: [
    "/startprivate USER --direct: directly from device to device, if both of you allow it; both see each other's address.",
    "/startprivate USER --relay: through the server, which cannot read it.",
  ],
  async run(chat, rest) {
    const [username, ...flags] = words(startprivate, rest, 2);
    if (username === undefined) throw usageOf(startprivate);
    await chat.privates.start(usernameOf(username), pathOf(startprivate, flags).path);
  },
};

export const privateTo: ChatCommand = {
  name: "private",
  isLocal: true,
  usage: "USER TEXT",
  summary: "send to a private chat; without TEXT, open it",
  details: [
    "Without TEXT it opens the chat; without USER it lists the chats. TEXT is the rest of the line, exactly as typed.",
    "TEXT is never stored by the server. Where no private chat with USER is open, nothing is sent.",
  ],
  async run(chat, rest) {
    const { word, rest: text } = splitWord(rest);
    if (word === "") {
      const lines = chat.privates.list();
      if (lines.length > 0) chat.show({ kind: "heading", text: "Private chats" });
      chat.show({ kind: "answer", lines: lines.length > 0 ? lines : ["No private chat is open."] });
      return;
    }
    const username = usernameOf(word);
    if (text === undefined || text.trim() === "") {
      await chat.privates.check(username);
      chat.openPrivate(username);
    } else await chat.privates.send(username, text);
  },
};

export const stopprivate: ChatCommand = {
  name: "stopprivate",
  isLocal: true,
  usage: "[USER]",
  summary: "end a private chat, or withdraw your request",
  details: ["Without USER it ends the private chat that is open."],
  async run(chat, rest) {
    const { openPlace } = chat;
    const here = openPlace?.kind === "private" ? openPlace.username : undefined;
    const [username = here] = words(stopprivate, rest, 1);
    if (username === undefined) throw refuse("No private chat is open. Name a user: /stopprivate USER");
    const stopped = chat.privates.stop(usernameOf(username));
    // Closed before the chat has ended, because the user does not mean the next line for it.
    if (samePlace(chat.openPlace, privately(username))) chat.close();
    await stopped;
  },
};
