// /history [USER] [N]: shows the end of a conversation.
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
  summary: "show the last messages with a user, or here",
  details: [
    `Shows the last N messages, ${DEFAULT_ENTRIES} if N is left out. It marks nothing as read.`,
    "/history --broadcast [N] shows the broadcasts.",
    "/history --private USER [N] shows the lines kept of private chats with USER.",
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
  // A single number is N; a user whose name is a number needs both arguments.
  const isCount = second === undefined && first !== undefined && /^\d+$/.test(first);
  if (first === undefined || isCount) {
    if (chat.openPlace === undefined)
      throw refuse(`No conversation is open. Name a user: /history USER ${first ?? ""}`.trimEnd());
    return { place: chat.openPlace, count: first ?? String(DEFAULT_ENTRIES) };
  }
  const place = first === "--broadcast" ? everyone : withUser(usernameOf(first));
  return { place, count: second ?? String(DEFAULT_ENTRIES) };
}

function wantedPrivate([username, count = String(DEFAULT_ENTRIES)]: readonly string[]): {
  place: Place;
  count: string;
} {
  if (username === undefined) throw usage("Usage: /history --private USER [N]");
  return { place: privately(usernameOf(username)), count };
}
