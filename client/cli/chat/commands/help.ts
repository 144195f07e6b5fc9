// /help [COMMAND]: lists the commands of the table, or describes one.
import { type ChatCommand, words } from "../command/chat-command.ts";
import { findCommand, unknownCommand } from "../command/find-chat-command.ts";

const RULES = [
  "With a conversation open, a line is a message; start a command with a slash, and type //word to send /word. Without one, every line is a command.",
  "Tab completes. Alt-a opens the next unread conversation. Alt-Enter starts a new line.",
];

export const help: ChatCommand = {
  name: "help",
  isLocal: true,
  usage: "[COMMAND]",
  summary: "show this list, or more about one command",
  run(chat, rest) {
    const [name] = words(help, rest, 1);
    if (name === undefined) {
      const heads = chat.commands.map(head);
      const width = Math.max(...heads.map(({ length }) => length)) + 2;
      const rows = chat.commands.map(
        ({ summary }, index) => `${(heads[index] ?? "").padEnd(width)}${summary}`,
      );
      chat.show({ kind: "answer", lines: rows, hang: width });
      chat.show({ kind: "answer", lines: ["", ...RULES], hang: 0 });
      return;
    }
    const command = findCommand(chat.commands, name.replace(/^\//, ""));
    if (command === undefined) throw unknownCommand(chat.commands, `/${name.replace(/^\//, "")}`);
    const aliases =
      command.aliases === undefined
        ? []
        : [`Also: ${command.aliases.map((alias) => `/${alias}`).join(", ")}`];
    const lines = [`${head(command)}: ${command.summary}`, ...(command.details ?? []), ...aliases];
    chat.show({ kind: "answer", lines });
  },
};

function head({ name, usage }: ChatCommand): string {
  return usage === "" ? `/${name}` : `/${name} ${usage}`;
}
