// /whoelse and /whoelsesince SECS: the original's commands, which list names only.
import { parseSeconds } from "../../../../command-line/durations.ts";
import { type ChatActions, type ChatCommand, usageOf, words } from "../command/chat-command.ts";

export const whoelse: ChatCommand = {
  name: "whoelse",
  usage: "",
  summary: "list the other users who are online",
  async run(chat, rest) {
    words(whoelse, rest, 0);
    await showNames(chat, {});
  },
};

export const whoelsesince: ChatCommand = {
  name: "whoelsesince",
  usage: "SECS",
  summary: "list who was online in the last SECS seconds",
  details: ["SECS is any whole number; 0 lists the users who are online now."],
  async run(chat, rest) {
    const [seconds] = words(whoelsesince, rest, 1);
    if (seconds === undefined) throw usageOf(whoelsesince);
    await showNames(chat, { onlineWithinMs: parseSeconds(seconds) });
  },
};

async function showNames(chat: ChatActions, wanted: { onlineWithinMs?: number }): Promise<void> {
  const names: string[] = [];
  for await (const { user } of chat.link.account.listUsers(wanted)) names.push(user?.username ?? "");
  const within = wanted.onlineWithinMs === undefined ? "" : ` within ${wanted.onlineWithinMs / 1_000} s`;
  if (names.length > 0) chat.show({ kind: "heading", text: `Other users online${within}` });
  chat.show({ kind: "users", users: names.map((name) => ({ name, remark: "" })) });
}
