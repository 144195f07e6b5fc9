// Formats the help from the table of commands and their flags, in 80 columns.

import type { Flags } from "../../../command-line/flags.ts";
import { type Command, everyFlag } from "../command/command.ts";
import { type CommandRow, groups } from "../commands/table.ts";

const columns = 80;

/** The text of `parley help`. */
export function overview(program: string, rows: readonly CommandRow[]): string {
  const names = Math.max(...rows.map(({ name }) => name.length));
  const parts = groups.map((group) => {
    const lines = rows
      .filter((row) => row.group === group)
      .map(({ name, summary }) => [name, summary] as const);
    return `${group}\n${table(lines, names)}`;
  });
  return [
    paragraph(
      `${program} is a client for Parley servers. Without a command it starts the chat, and so does ${program} HOST PORT, the command line of the assignment that Parley started from.`,
    ),
    ...parts,
    paragraph(`${program} COMMAND --help describes a command, and ${program} --version prints the version.`),
    `Exit codes\n${table(exitCodes, 4)}`,
  ].join("\n\n");
}

const exitCodes = [
  ["0", "Done."],
  ["1", "The server or this program refused."],
  ["2", "The command line is wrong, or lacks something that cannot be asked for."],
  ["3", "There is no connection. Nothing was sent."],
  ["4", "Not logged in."],
  ["5", "The request was sent, and its outcome is not known."],
  ["6", "No answer arrived in time (ask)."],
] as const;

/** The text of `parley COMMAND --help`. */
export function commandHelp(program: string, row: CommandRow, command: Command): string {
  const start = `${program} ${row.name}`;
  const lead = (text: string): string => `  ${start} ${text}`.trimEnd();
  const { json, ...always } = everyFlag;
  const flags = { ...command.flags, ...(command.json === undefined ? always : everyFlag) };
  const parts = [
    command.forms.map((form) => lead(form)).join("\n"),
    ...[row.summary, ...command.about].map(paragraph),
    `Flags\n${flagTable(flags)}`,
    ...(command.json === undefined ? [] : [paragraph(`With --json it prints ${command.json}`)]),
    ...(command.examples.length === 0
      ? []
      : [`Examples\n${command.examples.map((one) => lead(one)).join("\n")}`]),
  ];
  return parts.join("\n\n");
}

function flagTable(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, { value, short, help }]) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return [`${letter}--${name}${value === undefined ? "" : ` ${value}`}`, help] as const;
  });
  return table(lines, Math.max(...lines.map(([left]) => left.length)));
}

function table(lines: readonly (readonly [string, string])[], width: number): string {
  const indent = width + 4;
  return lines
    .map(([left, right]) => {
      const rows = wrapped(right, columns - indent);
      return `  ${left.padEnd(width)}  ${rows.join(`\n${" ".repeat(indent)}`)}`;
    })
    .join("\n");
}

function paragraph(text: string): string {
  return wrapped(text, columns).join("\n");
}

/** Counts characters as columns: the help has no wide characters. */
function wrapped(text: string, width: number): string[] {
  const rows: string[] = [];
  let row = "";
  for (const word of text.split(" ")) {
    if (row !== "" && row.length + 1 + word.length > width) {
      rows.push(row);
      row = word;
    } else row = row === "" ? word : `${row} ${word}`;
  }
  return [...rows, row];
}
