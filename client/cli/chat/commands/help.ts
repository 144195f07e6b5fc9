// /help [COMMAND]: all of it comes from the table.
import { type ChatCommand, words } from "./command.ts";
import { findCommand, unknownCommand } from "./find.ts";

const RULES = [
  "With no conversation open a line is a command. With one open it is a",
  "message, and a command needs a slash: /close. //word sends the text /word.",
  "Tab completes; Alt-a goes to the next unread; Alt-Enter begins a new line.",
];

export const help: ChatCommand = {
  name: "help",
  usage: "[COMMAND]",
  summary: "this list, or more about one command",
  run(chat, rest) {
    const [name] = words(help, rest, 1);
    if (name === undefined) {
      const heads = chat.commands.map(head);
      const width = Math.max(...heads.map(({ length }) => length)) + 2;
      const rows = chat.commands.map(
        ({ summary }, index) => `${(heads[index] ?? "").padEnd(width)}${summary}`,
      );
      chat.show({ kind: "answer", lines: [...rows, "", ...RULES] });
      return;
    }
    const command = findCommand(chat.commands, name.replace(/^\//, ""));
    if (command === undefined) throw unknownCommand(chat.commands, name);
    const aliases = command.aliases === undefined ? [] : [`Also: ${command.aliases.join(", ")}`];
    const lines = [`${head(command)}: ${command.summary}`, ...(command.details ?? []), ...aliases];
    chat.show({ kind: "answer", lines });
  },
};

function head({ name, usage }: ChatCommand): string {
  return usage === "" ? name : `${name} ${usage}`;
}
