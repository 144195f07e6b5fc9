// What --help prints of flags and settings: from the tables, in 80 columns.
import type { FlagSpec } from "../../command-line/arguments.ts";
import { settingFlags } from "./config.ts";
import { environmentName, type SettingName, settingNames, settingOf } from "./settings.ts";

export interface DescribedFlag extends FlagSpec {
  readonly help: string;
}

const COLUMNS = 80;
const HELP_AT = 6;

/** Flags as a block of lines, each with its help below it. */
export function describeFlags(flags: readonly DescribedFlag[]): string {
  return flags
    .map((flag) => {
      const names = `${flag.short === undefined ? "" : `-${flag.short}, `}--${flag.name}`;
      return `  ${names}${flag.value === undefined ? "" : ` ${flag.value}`}\n${indent(flag.help)}`;
    })
    .join("\n");
}

/** All settings as flags, by group, with their defaults. */
export function describeSettings(): string {
  const groups = Map.groupBy(settingNames, (name) => settingOf(name).group);
  return Array.from(
    groups,
    ([group, names]) => `${group}:\n${describeFlags(names.map(describedSetting))}`,
  ).join("\n\n");
}

/** These settings as flags of a command. */
export function describedSettings(names: readonly SettingName[]): DescribedFlag[] {
  return names.map(describedSetting);
}

function describedSetting(name: SettingName): DescribedFlag {
  const row = settingOf(name);
  const [flag = { name }] = settingFlags([name]);
  const facts = [
    ...(row.default === undefined || row.value === undefined ? [] : [`Default: ${row.default}.`]),
    ...(row.value === undefined && row.default === "true" ? [`On; --no-${flag.name} turns it off.`] : []),
    ...(row.isRepeated === true ? ["May be repeated."] : []),
  ];
  return { ...flag, help: [row.help, ...facts].join(" ") };
}

/** Words filled into lines, indented as help is. */
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
  return [...lines, line].map((one) => " ".repeat(HELP_AT) + one).join("\n");
}

/** What a person may write elsewhere than on the command line. */
export const settingsElsewhere =
  `Each setting can also be given in the environment (--log-level is ${environmentName("logLevel")})\n` +
  'or in a TOML file (log-level = "debug"); a flag wins over the environment, that\n' +
  "over the file, and the file over the default.";
