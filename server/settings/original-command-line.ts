// The original's command line, PORT BLOCK_SECONDS TIMEOUT_SECONDS: how it is read, and the rules that come with it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine, packageFile } from "../files/package.ts";
import { type SettingName, SettingProblem, settings } from "./settings.ts";

export interface OriginalCommandLine {
  /** Whole numbers as they were typed, each in its bounds. */
  readonly port: string;
  readonly blockSeconds: string;
  readonly timeoutSeconds: string;
}

const NAMES = ["PORT", "BLOCK_SECONDS", "TIMEOUT_SECONDS"] as const;

/** Names the place that a setting came from. */
export const originalSource = `the original's command line (${NAMES.join(" ")})`;

/** A line that shows what it looks like. */
export function describeOriginal(): string {
  return `The original's command line: ${commandLine("parley-server")} ${NAMES.join(" ")}, as in 12000 60 120.`;
}

/** Whether somebody who types this means a number, be it a wrong one. */
export function looksLikeNumber(word: string): boolean {
  return /^[-+]?\.?\d/.test(word);
}

/** @throws UsageError which shows how the command line looks */
export function readOriginal(words: readonly string[]): OriginalCommandLine {
  const missing = NAMES.slice(words.length);
  if (missing.length > 0) throw problem(`missing: ${missing.join(" and ")}`);
  const extra = words[NAMES.length];
  if (extra !== undefined) throw problem(`"${extra}" is one too many`);
  const [port = "", blockSeconds = "", timeoutSeconds = ""] = words;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw problem(`PORT: expected a whole number, 0 to 65535, not "${port}"`);
  }
  check("BLOCK_SECONDS", () => settings.blockDuration.parse(blockSeconds));
  check("TIMEOUT_SECONDS", () => settings.timeout.parse(timeoutSeconds));
  return { port, blockSeconds, timeoutSeconds };
}

function check(name: (typeof NAMES)[number], parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (error instanceof SettingProblem) throw problem(`${name}: ${error.message}`);
    throw error;
  }
}

function problem(text: string): UsageError {
  return new UsageError(`${text}\n${describeOriginal()}`);
}

/**
 * What the command line says of settings, as text.
 * @param host for all interfaces of this machine
 * @param folder whose users come before the package's
 */
export function originalRules(
  { port, blockSeconds, timeoutSeconds }: OriginalCommandLine,
  host: "::" | "0.0.0.0",
  folder: string,
): ReadonlyMap<SettingName, string> {
  const users = join(folder, "credentials.txt");
  return new Map<SettingName, string>([
    ["listen", host === "::" ? `[::]:${port}` : `${host}:${port}`],
    ["credentials", existsSync(users) ? users : packageFile("docs/credentials.txt")],
    ["sessionsPerUser", "1"],
    ["lock", "strict"],
    ["blockDuration", blockSeconds],
    ["timeout", timeoutSeconds],
    ["presenceGrace", "0"],
  ]);
}
