// The settings as they hold: flag over environment over file over default, each checked, each error naming its source.
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { FlagSpec } from "../../command-line/arguments.ts";
import { suggestion } from "../../command-line/closest.ts";
import { fileProblem } from "../../command-line/file-problem.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { allInterfaces } from "../../rpc/network/all-interfaces.ts";
import { dataFiles, defaultDataFolder } from "../files/data-folder.ts";
import { isLoopback } from "../files/loopback.ts";
import { type OriginalCommandLine, originalRules, originalSource } from "./original-command-line.ts";
import {
  environmentName,
  flagName,
  type SettingName,
  SettingProblem,
  settingNames,
  settingOf,
  type settings,
} from "./settings.ts";

type Row<K extends SettingName> = (typeof settings)[K];
type Parsed<K extends SettingName> = ReturnType<Row<K>["parse"]>;
type Value<K extends SettingName> =
  Row<K> extends { readonly isRepeated: true }
    ? readonly Parsed<K>[]
    : Row<K> extends { readonly default: string }
      ? Parsed<K>
      : Parsed<K> | undefined;

/** Every setting, checked, by its name in the table; paths are absolute. `data` is undefined where it is a temporary folder. */
export type Config = { readonly [K in SettingName]: Value<K> } & {
  /** How the person who set it would find it again: "--listen", "PARLEY_LISTEN in the environment", "listen in FILE". */
  readonly sourceOf: (name: SettingName) => string;
  /** Where the original's command line was given: the sources that overrule something of it. */
  readonly overruled: readonly string[] | undefined;
};

/** A setting that cannot be; the text names it and where it came from. Exit code 2. */
export class ConfigError extends UsageError {
  override name = "ConfigError";
}

export interface ConfigInputs {
  /** As readArguments gives them. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Stands below the flags, and above all else. */
  readonly original?: OriginalCommandLine | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  /** Where relative paths of flags and environment start. */
  readonly folder?: string;
}

/** What somebody said about a setting. */
interface Given {
  readonly texts: readonly string[];
  readonly source: string;
  readonly folder: string;
}
type Layer = (name: SettingName) => Given | undefined;

/** The data folder where nobody names one. */
export function defaultData(): string | undefined {
  return defaultDataFolder(process.env, process.platform);
}

/** The flags of these settings, for readArguments and help. */
export function settingFlags(names: readonly SettingName[] = settingNames): FlagSpec[] {
  return names.map((name) => {
    const { short, value, isRepeated } = settingOf(name);
    return { name: flagName(name), short, value, isRepeated, isNegatable: value === undefined };
  });
}

/** The data folder of a command beside the server. @throws ConfigError where only the running server knows it */
export function dataOf({ data, sourceOf }: Pick<Config, "data" | "sourceOf">): string {
  if (data !== undefined) return data;
  throw new ConfigError(`${sourceOf("ephemeral")}: name the running server's folder with --data`);
}

/** @throws ConfigError */
export async function loadConfig(inputs: ConfigInputs): Promise<Config> {
  const { flags, original, env = process.env, platform = process.platform, folder = process.cwd() } = inputs;
  const rules = original && originalRules(original, await allInterfaces(), folder);
  const outside = [flagLayer(flags, folder), originalLayer(rules), environmentLayer(env, folder)];
  const configFile = read("config", outside) as string | undefined;
  const explicit = configFile === undefined ? [] : [await fileLayer(configFile, false)];
  const named = [...outside, ...explicit];
  const isTemporary = read("ephemeral", named) === true && find("data", named) === undefined;
  const data = isTemporary
    ? undefined
    : ((read("data", named) ?? defaultDataFolder(env, platform)) as string);
  if (data === undefined && !isTemporary) {
    throw new ConfigError("--data: name a folder; the environment names no home");
  }
  const own =
    data === undefined || configFile !== undefined ? [] : [await fileLayer(dataFiles(data).config, true)];
  const layers = [...named, ...own];
  const values = new Map(settingNames.map((name) => [name, read(name, layers)]));
  const sourceOf = (name: SettingName): string =>
    find(name, layers)?.source ?? `the default of --${flagName(name)}`;
  const overruled = rules && [...rules.keys()].map(sourceOf).filter((source) => source !== originalSource);
  // The table says what each parses to; a map cannot.
  const config = {
    ...Object.fromEntries(values),
    data,
    config: configFile,
    sourceOf,
    overruled,
  } as unknown as Config;
  checkTogether(config);
  return config;
}

function find(name: SettingName, layers: readonly Layer[]): Given | undefined {
  for (const layer of layers) {
    const given = layer(name);
    if (given !== undefined) return given;
  }
  return undefined;
}

/** The setting's value from the first layer that says something, or its default. */
function read(name: SettingName, layers: readonly Layer[]): unknown {
  const { isRepeated, default: fallback, parse } = settingOf(name);
  const given = find(name, layers);
  if (given === undefined) return isRepeated ? [] : fallback === undefined ? undefined : parse(fallback, "");
  try {
    const values = given.texts.map((text) => parse(text, given.folder));
    return isRepeated ? values : values[0];
  } catch (error) {
    if (error instanceof SettingProblem) throw new ConfigError(`${given.source}: ${error.message}`);
    throw error;
  }
}

function flagLayer(flags: ConfigInputs["flags"], folder: string): Layer {
  return (name) => {
    const texts = flags.get(flagName(name));
    return texts === undefined ? undefined : { texts, source: `--${flagName(name)}`, folder };
  };
}

function originalLayer(rules: ReadonlyMap<SettingName, string> | undefined): Layer {
  return (name) => {
    const text = rules?.get(name);
    return text === undefined ? undefined : { texts: [text], source: originalSource, folder: "" };
  };
}

/** An empty variable says nothing. */
function environmentLayer(env: Readonly<Record<string, string | undefined>>, folder: string): Layer {
  return (name) => {
    const text = env[environmentName(name)];
    if (text === undefined || text === "") return undefined;
    const texts = settingOf(name).isRepeated ? text.split(",").map((part) => part.trim()) : [text];
    return { texts, source: `${environmentName(name)} in the environment`, folder };
  };
}

/** @param isDefault whether it is the data folder's own file, which may be missing */
async function fileLayer(file: string, isDefault: boolean): Promise<Layer> {
  const table = await readTable(file, isDefault);
  const allowed = settingNames.filter((name) => name !== "config" && !(isDefault && saysWhereDataIs(name)));
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

function saysWhereDataIs(name: string): boolean {
  return name === "data" || name === "ephemeral";
}

function whyNot(key: string, keys: readonly string[]): string {
  if (saysWhereDataIs(key)) return "a file inside the data folder cannot say where the data is";
  return `no such setting${suggestion(key, keys)}`;
}

async function readTable(file: string, mayBeMissing: boolean): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (mayBeMissing && (code === "ENOENT" || code === "ENOTDIR")) return {};
    throw new ConfigError(`${file} cannot be read: ${fileProblem(error)}`);
  }
  // Only who has such a file waits for its parser.
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
      `${source}: expected ${isRepeated ? "texts" : "a text, a number or true or false"}`,
    );
  });
}

/** What only shows when settings stand beside each other. */
function checkTogether(config: Config): void {
  const { cert, key, plaintext, listen, sourceOf } = config;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? (["key", "cert"] as const) : (["cert", "key"] as const);
    throw new ConfigError(`${sourceOf(given)}: needs --${missing} as well`);
  }
  if (!plaintext) return;
  if (cert !== undefined) {
    throw new ConfigError(`${sourceOf("plaintext")}: contradicts ${sourceOf("cert")}; leave one of them out`);
  }
  if (!isLoopback(listen.host)) {
    throw new ConfigError(
      `${sourceOf("plaintext")}: only on a loopback address such as 127.0.0.1, since others could read along; ` +
        `${sourceOf("listen")} says ${listen.host}`,
    );
  }
}
