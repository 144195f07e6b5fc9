// What the process was started with: the only module that reads its environment, and where the state folder is by convention.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** The folder of the state file. It need not exist. */
  readonly home: string;
  /** How a person starts this program here: "parley", or "npx parley" in a clone. */
  readonly program: string;
  /** All variables, for what a terminal can do (TERM, NO_COLOR …). */
  readonly variables: Variables;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function readEnvironment(): Environment {
  const variables: Variables = process.env;
  return {
    home: stateFolder(variables, process.platform, homedir()),
    program: variables.npm_command === "exec" ? "npx parley" : "parley",
    variables,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  };
}

/** PARLEY_HOME, else where the platform's programs keep their data. */
export function stateFolder(variables: Variables, platform: NodeJS.Platform, userHome: string): string {
  const own = variables.PARLEY_HOME ?? "";
  if (own !== "") return resolve(own);
  if (platform === "darwin") return join(userHome, "Library", "Application Support", "Parley");
  if (platform === "win32")
    return join(absolute(variables.LOCALAPPDATA) ?? join(userHome, "AppData", "Local"), "Parley");
  return join(absolute(variables.XDG_DATA_HOME) ?? join(userHome, ".local", "share"), "parley");
}

/** The XDG convention says that a path which is not absolute is to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
