// /block USER, /unblock USER and /blocks: the users from whom no messages are received.
import type { ChatActions } from "../command/chat-command.ts";
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

export const block: ChatCommand = {
  name: "block",
  usage: "USER",
  summary: "receive no messages from a user",
  details: [
    "The blocked user is not notified, and does not see when you are online. You can still send messages to a user you block.",
  ],
  async run(chat, rest) {
    const username = only(block, rest);
    await chat.link.account.blockUser(username);
    answer(
      chat,
      `${username} is blocked: you receive no messages from ${username}. To undo: /unblock ${username}`,
    );
  },
};

export const unblock: ChatCommand = {
  name: "unblock",
  usage: "USER",
  summary: "remove a block",
  details: ["Messages that were sent during the block are not delivered."],
  async run(chat, rest) {
    const username = only(unblock, rest);
    await chat.link.account.unblockUser(username);
    answer(chat, `${username} is no longer blocked.`);
  },
};

export const blocks: ChatCommand = {
  name: "blocks",
  usage: "",
  summary: "list the users you block",
  async run(chat, rest) {
    words(blocks, rest, 0);
    const users: { name: string; remark: string }[] = [];
    for await (const { user } of chat.link.account.listBlocks()) {
      users.push({ name: user?.username ?? "", remark: "blocked" });
    }
    if (users.length > 0) chat.show({ kind: "heading", text: "Users you block" });
    chat.show({ kind: "users", users, none: "You block no users." });
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
