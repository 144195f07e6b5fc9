// /quit and /logout: both end the program; a log-out ends the login too.
import { type ChatCommand, words } from "../command/chat-command.ts";

export const quit: ChatCommand = {
  name: "quit",
  aliases: ["exit"],
  usage: "",
  summary: "leave, and stay logged in for the next time",
  run(chat, rest) {
    words(quit, rest, 0);
    chat.leave("quit");
  },
};

/** Where whoever leaves is logged out, however that comes about. */
export const quitForGood: ChatCommand = { ...quit, summary: "leave and log out, as the original does" };

export const logout: ChatCommand = {
  name: "logout",
  usage: "",
  summary: "leave and log out: then the password is asked",
  run(chat, rest) {
    words(logout, rest, 0);
    chat.leave("logout");
  },
};
