// /startprivate, /private, /stopprivate: a chat from device to device, which no server reads.

import { type ChatCommand, splitWord, usageOf, usernameOf, words } from "../command/chat-command.ts";
import { pathOf } from "../command/path-flags.ts";
import { privately, samePlace } from "../model/place.ts";

export const startprivate: ChatCommand = {
  name: "startprivate",
  isLocal: true,
  usage: "USER",
  summary: "ask for a private chat, which no server reads",
  details: [
    "/startprivate USER --direct: from device to device, so that both see each other's address; only where both allow it.",
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
  summary: "say it in a private chat; without TEXT, open it",
  details: [
    "Without TEXT it opens the chat, and without USER it lists the chats. The text is the rest of the line, exactly as it is typed.",
    "It never goes through the server's log: where no private chat is open, nothing is sent.",
  ],
  async run(chat, rest) {
    const { word, rest: text } = splitWord(rest);
    if (word === "") {
      chat.show(chat.privates.list());
      return;
    }
    const username = usernameOf(word);
    if (text === undefined || text.trim() === "") {
      await chat.privates.check(username);
      chat.openPrivate(username);
    } else await chat.privates.say(username, text);
  },
};

export const stopprivate: ChatCommand = {
  name: "stopprivate",
  isLocal: true,
  usage: "USER",
  summary: "end a private chat, or no longer ask for it",
  async run(chat, rest) {
    const [username] = words(stopprivate, rest, 1);
    if (username === undefined) throw usageOf(stopprivate);
    const stopped = chat.privates.stop(usernameOf(username));
    // At once: whoever ends it means what comes next for something else.
    if (samePlace(chat.openPlace, privately(username))) chat.close();
    await stopped;
  },
};
