// What a command uses of its process: variables, streams, signals and the state folder. Only this module reads the real
// ones.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import type { TerminalHost } from "../terminal/terminal-host.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** The part of `process` that commands use; tests pass a stand-in. */
export interface ProcessParts {
  /** The environment variables. */
  readonly variables: Variables;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Emits the signals that the process receives, and sends signals to its process group. */
  readonly host: TerminalHost;
}

export interface Environment extends ProcessParts {
  /** The folder of the state file. It need not exist. */
  readonly home: string;
  /** What a person types to start this program: "parley", or "npx parley" in a clone. */
  readonly program: string;
}

export function readEnvironment(): Environment {
  return environmentOf({
    variables: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    host: process,
  });
}

export function environmentOf(parts: ProcessParts): Environment {
  const { variables } = parts;
  return {
    ...parts,
    home: stateFolder(variables, process.platform, homedir()),
    program: variables.npm_command === "exec" ? "npx parley" : "parley",
  };
}

/** PARLEY_HOME, else the folder in which programs of this platform keep their data. */
export function stateFolder(variables: Variables, platform: NodeJS.Platform, userHome: string): string {
  const own = variables.PARLEY_HOME ?? "";
  if (own !== "") return resolve(own);
  if (platform === "darwin") return join(userHome, "Library", "Application Support", "Parley");
  if (platform === "win32")
    return join(absolute(variables.LOCALAPPDATA) ?? join(userHome, "AppData", "Local"), "Parley");
  return join(absolute(variables.XDG_DATA_HOME) ?? join(userHome, ".local", "share"), "parley");
}

/** The XDG base directory specification demands that a relative path is ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
