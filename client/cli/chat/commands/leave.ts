// /quit and /logout: both end the program; /logout also ends the login.
import { type ChatCommand, words } from "../command/chat-command.ts";

export const quit: ChatCommand = {
  name: "quit",
  aliases: ["exit"],
  usage: "",
  summary: "leave and stay logged in",
  run(chat, rest) {
    words(quit, rest, 0);
    chat.leave("quit");
  },
};

/** /quit if every way to leave logs out. */
export const quitForGood: ChatCommand = { ...quit, summary: "leave and log out, as the original does" };

export const logout: ChatCommand = {
  name: "logout",
  usage: "",
  summary: "leave and log out; the next start asks for the password",
  run(chat, rest) {
    words(logout, rest, 0);
    chat.leave("logout");
  },
};
