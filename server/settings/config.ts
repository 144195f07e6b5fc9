// Loads the settings: a flag wins over the environment, the environment over the file, the file over the default.
import type { FlagSpec } from "../../command-line/arguments.ts";
import { allInterfaces } from "../../rpc/network/all-interfaces.ts";
import { dataFiles, defaultDataFolder } from "../files/data-folder.ts";
import { isLoopback } from "../files/loopback.ts";
import { fileLayer } from "./config-file.ts";
import { ConfigError, environmentLayer, find, flagLayer, originalLayer, read } from "./layers.ts";
import { type OriginalCommandLine, originalRules, originalSource } from "./original-command-line.ts";
import { flagName, type SettingName, type SettingValue, settingNames, settingOf } from "./settings.ts";

/** All settings, checked, by their names in the table. Paths are absolute. `data` is undefined with `ephemeral`. */
export type Config = { readonly [K in SettingName]: SettingValue<K> } & {
  /** Names the place where the setting was given: "--listen", "PARLEY_LISTEN in the environment", "listen in FILE". */
  readonly sourceOf: (name: SettingName) => string;
  /** With the original's command line: the sources of settings that replace one of its rules. */
  readonly overruled: readonly string[] | undefined;
};

export interface ConfigInputs {
  /** The flags, as readArguments returns them. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** The original's command line. Flags win over it, and it wins over the environment and the file. */
  readonly original?: OriginalCommandLine | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  /** The folder that relative paths of flags and environment are resolved against. */
  readonly folder?: string;
}

/** The data folder that is used when none is set. Undefined if the environment has no home directory. */
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

/** The data folder, for a command that runs beside the server. @throws ConfigError with `ephemeral` */
export function dataOf({ data, sourceOf }: Pick<Config, "data" | "sourceOf">): string {
  if (data !== undefined) return data;
  throw new ConfigError(`${sourceOf("ephemeral")}: give the running server's data folder with --data`);
}

/** @throws ConfigError */
export async function loadConfig(inputs: ConfigInputs): Promise<Config> {
  const { flags, original, env = process.env, platform = process.platform, folder = process.cwd() } = inputs;
  const rules = original && originalRules(original, await allInterfaces(), folder);
  const outside = [flagLayer(flags, folder), originalLayer(rules), environmentLayer(env, folder)];
  const configFile = read("config", outside);
  const explicit = configFile === undefined ? [] : [await fileLayer(configFile, false)];
  const named = [...outside, ...explicit];
  const isTemporary = read("ephemeral", named) && find("data", named) === undefined;
  const data = isTemporary ? undefined : (read("data", named) ?? defaultDataFolder(env, platform));
  if (data === undefined && !isTemporary) {
    throw new ConfigError("--data: give a folder, because the environment has no home directory");
  }
  const own =
    data === undefined || configFile !== undefined ? [] : [await fileLayer(dataFiles(data).config, true)];
  const layers = [...named, ...own];
  const values = new Map(settingNames.map((name) => [name, read(name, layers)]));
  const sourceOf = (name: SettingName): string =>
    find(name, layers)?.source ?? `the default of --${flagName(name)}`;
  const overruled = rules && [...rules.keys()].map(sourceOf).filter((source) => source !== originalSource);
  // TypeScript cannot follow the types of the rows through the mapping.
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

/** Checks settings that depend on each other. */
function checkTogether(config: Config): void {
  const { cert, key, plaintext, listen, sourceOf } = config;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? (["key", "cert"] as const) : (["cert", "key"] as const);
    throw new ConfigError(`${sourceOf(given)}: requires --${missing}`);
  }
  if (!plaintext) return;
  if (cert !== undefined) {
    throw new ConfigError(`${sourceOf("plaintext")}: contradicts ${sourceOf("cert")}; leave one of them out`);
  }
  if (!isLoopback(listen.host)) {
    throw new ConfigError(
      `${sourceOf("plaintext")}: only on a loopback address such as 127.0.0.1, because others could read the ` +
        `traffic; ${sourceOf("listen")} is ${listen.host}`,
    );
  }
}
