// Formats flags and settings for --help, in 80 columns.
import type { FlagSpec } from "../../command-line/arguments.ts";
import { settingFlags } from "./config.ts";
import { type SettingName, settingNames, settingOf } from "./settings.ts";

export interface DescribedFlag extends FlagSpec {
  readonly help: string;
}

const COLUMNS = 80;
const HELP_AT = 6;

/** Lists flags, each with its help in the lines below it. */
export function describeFlags(flags: readonly DescribedFlag[]): string {
  return flags
    .map((flag) => {
      const names = `${flag.short === undefined ? "" : `-${flag.short}, `}--${flag.name}`;
      return `  ${names}${flag.value === undefined ? "" : ` ${flag.value}`}\n${indent(flag.help)}`;
    })
    .join("\n");
}

/** Lists all settings as flags, by group, with their defaults. */
export function describeSettings(): string {
  const groups = Map.groupBy(settingNames, (name) => settingOf(name).group);
  return Array.from(
    groups,
    ([group, names]) => `${group}:\n${describeFlags(names.map(describedSetting))}`,
  ).join("\n\n");
}

/** Describes some settings as flags of a command. */
export function describedSettings(names: readonly SettingName[]): DescribedFlag[] {
  return names.map(describedSetting);
}

function describedSetting(name: SettingName): DescribedFlag {
  const row = settingOf(name);
  const [flag = { name }] = settingFlags([name]);
  const facts = [
    ...(row.default === undefined || row.value === undefined ? [] : [`Default: ${row.default}.`]),
    ...(row.value === undefined && row.default === "true"
      ? [`Default: on; --no-${flag.name} turns it off.`]
      : []),
    ...(row.isRepeated === true ? ["Can be repeated."] : []),
  ];
  return { ...flag, help: [row.help, ...facts].join(" ") };
}

/** Wraps the text into indented lines. */
function indent(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && HELP_AT + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((text) => " ".repeat(HELP_AT) + text).join("\n");
}
