// /history [USER] [N]: the end of a conversation.
import { everyone, type Place, withUser } from "../place.ts";
import { type ChatActions, type ChatCommand, refuse, usageOf, usernameOf, words } from "./command.ts";

const DEFAULT_ENTRIES = 20;

export const history: ChatCommand = {
  name: "history",
  usage: "[USER] [N]",
  summary: "the last messages, with a user or here",
  details: [
    `Shows the last N messages, ${DEFAULT_ENTRIES} if N is left out. Nothing counts as read by it.`,
    "/history --broadcast [N] shows what was said to everyone.",
  ],
  async run(chat, rest) {
    const { place, count } = wanted(chat, words(history, rest, 2));
    if (!/^[1-9]\d{0,8}$/.test(count)) throw usageOf(history);
    await chat.showHistory(place, Number(count));
  },
};

function wanted(chat: ChatActions, given: readonly string[]): { place: Place; count: string } {
  const [first, second] = given;
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
