// /history [USER] [N]: the end of a conversation.
import { usage } from "../../process/exit.ts";
import {
  type ChatActions,
  type ChatCommand,
  refuse,
  usageOf,
  usernameOf,
  words,
} from "../command/chat-command.ts";
import { everyone, type Place, privately, withUser } from "../model/place.ts";

const DEFAULT_ENTRIES = 20;

export const history: ChatCommand = {
  name: "history",
  usage: "[USER] [N]",
  summary: "the last messages, with a user or here",
  details: [
    `Shows the last N messages, ${DEFAULT_ENTRIES} if N is left out. Nothing counts as read by it.`,
    "/history --broadcast [N] shows what was said to everyone.",
    "/history --private USER [N] shows what is kept of private chats with that user.",
  ],
  async run(chat, rest) {
    const { place, count } = wanted(chat, words(history, rest, 3));
    if (!/^[1-9]\d{0,8}$/.test(count)) throw usageOf(history);
    await chat.showHistory(place, Number(count));
  },
};

function wanted(chat: ChatActions, given: readonly string[]): { place: Place; count: string } {
  if (given[0] === "--private") return wantedPrivate(given.slice(1));
  const [first, second, third] = given;
  if (third !== undefined) throw usageOf(history);
  // With a conversation open, a number alone is a number; a user of that name needs both.
  const isCount = second === undefined && first !== undefined && /^\d+$/.test(first);
  if (first === undefined || (isCount && chat.openPlace !== undefined)) {
    if (chat.openPlace === undefined)
      throw refuse("No conversation is open: name a user, as in: /history USER");
    return { place: chat.openPlace, count: first ?? String(DEFAULT_ENTRIES) };
  }
  const place = first === "--broadcast" ? everyone : withUser(usernameOf(first));
  return { place, count: second ?? String(DEFAULT_ENTRIES) };
}

function wantedPrivate([username, count = String(DEFAULT_ENTRIES)]: readonly string[]): {
  place: Place;
  count: string;
} {
  if (username === undefined) throw usage("usage: /history --private USER, and how many lines");
  return { place: privately(usernameOf(username)), count };
}
