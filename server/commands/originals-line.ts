// One line that says by which rules a server runs that was started by the original's command line.
import { isAbsolute, relative } from "node:path";
import { packageFile } from "../files/package.ts";
import type { Config } from "../settings/config.ts";

/** Undefined where the original's command line was not given. */
export function originalsLine(config: Config, host: string): string | undefined {
  const { overruled, sessionsPerUser, lock, blockDuration, timeout, presenceGrace, credentials } = config;
  if (overruled === undefined) return undefined;
  const rules = [
    host === "::" || host === "0.0.0.0" ? "all interfaces" : host,
    sessionsPerUser === 1 ? "1 session a user" : `${sessionsPerUser} sessions a user`,
    `${lock} lock for ${blockDuration} s`,
    timeout === 0 ? "no time-out" : `time-out after ${timeout} s`,
    presenceGrace === 0 ? "no presence grace" : `presence grace of ${presenceGrace} s`,
    ...(credentials === undefined ? [] : [`users of ${shown(credentials)}`]),
  ];
  const besides = overruled.length === 0 ? "" : `, but for ${overruled.join(" and ")}`;
  return `the original's${besides}: ${rules.join(", ")}`;
}

/** As short as it can be found by. */
function shown(file: string): string {
  const sample = "docs/credentials.txt";
  if (file === packageFile(sample)) return sample;
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? file : fromHere;
}
