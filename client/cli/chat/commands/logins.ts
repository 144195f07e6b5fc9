// /logins [N]: lists the log-ins of the user, and the attempts that were refused.
import { logInLine } from "../../log/show-log-ins.ts";
import { type ChatCommand, usageOf, words } from "../command/chat-command.ts";

const DEFAULT_LINES = 20;

export const logins: ChatCommand = {
  name: "logins",
  usage: "[N]",
  summary: "list your last log-ins and refused attempts",
  async run(chat, rest) {
    const [count = String(DEFAULT_LINES)] = words(logins, rest, 1);
    if (!/^[1-9]\d{0,8}$/.test(count)) throw usageOf(logins);
    const lines: string[] = [];
    for await (const record of chat.link.account.listLogIns()) {
      if (lines.push(logInLine(record, false).plain) >= Number(count)) break;
    }
    chat.show({ kind: "heading", text: "Log-ins, newest first" });
    chat.show({ kind: "answer", lines });
  },
};
