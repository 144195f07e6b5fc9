// The TOML file as a place where settings can be given.
import { dirname } from "node:path";
import { suggestion } from "../../command-line/closest.ts";
import { fileProblem } from "../../command-line/file-problem.ts";
import { isOthers, readSmallFile } from "../../command-line/small-file.ts";
import { ConfigError, type Layer } from "./layers.ts";
import { flagName, type SettingName, settingNames, settingOf } from "./settings.ts";

/**
 * Reads the settings of a file. Its relative paths are resolved against its folder.
 * @param isInDataFolder whether it is the data folder's own file, which may be missing and cannot name the data folder
 * @throws ConfigError for a file that cannot be read or parsed, and for an unknown key
 */
export async function fileLayer(file: string, isInDataFolder: boolean): Promise<Layer> {
  const table = await readTable(file, isInDataFolder);
  const allowed = settingNames.filter((name) => name !== "config" && !(isInDataFolder && namesData(name)));
  const keys = allowed.map(flagName);
  for (const key of Object.keys(table)) {
    if (keys.includes(key)) continue;
    throw new ConfigError(`${key} in ${file}: ${whyNot(key, keys)}`);
  }
  return (name) => {
    const key = flagName(name);
    if (!Object.hasOwn(table, key)) return undefined;
    const source = `${key} in ${file}`;
    return { texts: textsOf(table[key], name, source), source, folder: dirname(file) };
  };
}

function namesData(name: string): boolean {
  return name === "data" || name === "ephemeral";
}

function whyNot(key: string, keys: readonly string[]): string {
  if (namesData(key)) return "a file inside the data folder cannot set the data folder";
  return `no such setting${suggestion(key, keys)}`;
}

async function readTable(file: string, isInDataFolder: boolean): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    const read = await readSmallFile(file);
    // Another user could have put the file into a data folder that was open.
    if (isInDataFolder && isOthers(read))
      throw new ConfigError(`${file} belongs to another user, and is not used`);
    text = read.text;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (isInDataFolder && (code === "ENOENT" || code === "ENOTDIR")) return {};
    throw new ConfigError(`${file} cannot be read: ${fileProblem(error)}`);
  }
  // Load the parser only if the file exists.
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [summary = ""] = error.message.split("\n");
    throw new ConfigError(`${file}, line ${error.line}: ${summary}`);
  }
}

function textsOf(value: unknown, name: SettingName, source: string): string[] {
  const { isRepeated } = settingOf(name);
  const parts: unknown[] = Array.isArray(value) && isRepeated ? value : [value];
  return parts.map((part) => {
    if (typeof part === "string" || typeof part === "number" || typeof part === "boolean")
      return String(part);
    throw new ConfigError(
      `${source}: expected ${isRepeated ? "a text or a list of texts" : "a text, a number, true or false"}`,
    );
  });
}
