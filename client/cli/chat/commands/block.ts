// /block USER, /unblock USER, /blocks: whom one shuts out. The others are never told.
import type { ChatActions } from "../command/chat-command.ts";
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

export const block: ChatCommand = {
  name: "block",
  usage: "USER",
  summary: "nothing of that user reaches you any more",
  details: [
    "The other one is not told, and does not see when you come and go. You can still write to a user whom you block.",
  ],
  async run(chat, rest) {
    const username = only(block, rest);
    await chat.link.account.blockUser(username);
    answer(chat, `${username} is blocked: nothing from there reaches you. Nobody is told.`);
  },
};

export const unblock: ChatCommand = {
  name: "unblock",
  usage: "USER",
  summary: "take a block back",
  details: ["What it kept from you stays away."],
  async run(chat, rest) {
    const username = only(unblock, rest);
    await chat.link.account.unblockUser(username);
    answer(chat, `${username} is not blocked any more.`);
  },
};

export const blocks: ChatCommand = {
  name: "blocks",
  usage: "",
  summary: "whom you block",
  async run(chat, rest) {
    words(blocks, rest, 0);
    const users: { name: string; remark: string }[] = [];
    for await (const { user } of chat.link.account.listBlocks()) {
      users.push({ name: user?.username ?? "", remark: "blocked" });
    }
    chat.show({ kind: "users", users, none: "You block nobody." });
  },
};

function only(command: ChatCommand, rest: string): string {
  const [username] = words(command, rest, 1);
  if (username === undefined) throw usageOf(command);
  return usernameOf(username);
}

function answer(chat: ChatActions, sentence: string): void {
  chat.show({ kind: "answer", lines: [sentence] });
}
