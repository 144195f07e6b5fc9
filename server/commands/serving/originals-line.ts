// The line of the start message that lists the rules of a server started by the original's command line.
import { isAbsolute, relative } from "node:path";
import { packageFile } from "../../files/package.ts";
import type { Config } from "../../settings/config.ts";

/** The line; undefined if the server was started in another way. */
export function originalsLine(config: Config, host: string): string | undefined {
  const { overruled, sessionsPerUser, lock, lockDurationMs, idleTimeoutMs, presenceGraceMs, credentials } =
    config;
  if (overruled === undefined) return undefined;
  const rules = [
    host === "::" || host === "0.0.0.0" ? "all interfaces" : host,
    sessionsPerUser === 1 ? "1 session a user" : `${sessionsPerUser} sessions a user`,
    `${lock} lock for ${lockDurationMs / 1000} s`,
    idleTimeoutMs === undefined ? "no time-out" : `time-out after ${idleTimeoutMs / 1000} s`,
    presenceGraceMs === 0 ? "no presence grace" : `presence grace of ${presenceGraceMs / 1000} s`,
    ...(credentials === undefined ? [] : [`users of ${shortPath(credentials)}`]),
  ];
  const exceptions = overruled.length === 0 ? "" : `, except ${overruled.join(" and ")}`;
  return `the original's${exceptions}: ${rules.join(", ")}`;
}

/** The path of the file, relative to the current folder if the file is in it. */
function shortPath(file: string): string {
  const sample = "docs/credentials.txt";
  if (file === packageFile(sample)) return sample;
  const path = relative(process.cwd(), file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
