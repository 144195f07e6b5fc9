// The places where a setting can be given: flags, the original's command line, the environment.
import { UsageError } from "../../command-line/usage-error.ts";
import { originalSource } from "./original-command-line.ts";
import { environmentName, flagName, type SettingName, type SettingValue, settingOf } from "./settings.ts";
import { SettingProblem } from "./values.ts";

/** A setting that is refused. The message names it and the place where it was given. The exit code is 2. */
export class ConfigError extends UsageError {
  override name = "ConfigError";
}

/** A setting as it was given in one place. */
export interface GivenSetting {
  readonly texts: readonly string[];
  /** Names the place to the person who set it: "--listen", "PARLEY_LISTEN in the environment", "listen in FILE". */
  readonly source: string;
  /** The folder that relative paths are resolved against. */
  readonly folder: string;
}

/** Returns undefined if the setting is not given in this place. */
export type Layer = (name: SettingName) => GivenSetting | undefined;

export function flagLayer(flags: ReadonlyMap<string, readonly string[]>, folder: string): Layer {
  return (name) => {
    const texts = flags.get(flagName(name));
    return texts === undefined ? undefined : { texts, source: `--${flagName(name)}`, folder };
  };
}

export function originalLayer(rules: ReadonlyMap<SettingName, string> | undefined): Layer {
  return (name) => {
    const text = rules?.get(name);
    return text === undefined ? undefined : { texts: [text], source: originalSource, folder: "" };
  };
}

/** An empty variable counts as not set. */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>, folder: string): Layer {
  return (name) => {
    const text = env[environmentName(name)];
    if (text === undefined || text === "") return undefined;
    const texts = settingOf(name).isRepeated ? text.split(",").map((part) => part.trim()) : [text];
    return { texts, source: `${environmentName(name)} in the environment`, folder };
  };
}

/** The setting from the first layer that has it. */
export function find(name: SettingName, layers: readonly Layer[]): GivenSetting | undefined {
  for (const layer of layers) {
    const given = layer(name);
    if (given !== undefined) return given;
  }
  return undefined;
}

/** The setting's value from the first layer that has it, or its default. @throws ConfigError */
export function read<K extends SettingName>(name: K, layers: readonly Layer[]): SettingValue<K> {
  // The type follows from the row, which readRow knows only as a Setting<unknown>.
  return readRow(name, layers) as SettingValue<K>;
}

function readRow(name: SettingName, layers: readonly Layer[]): unknown {
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
