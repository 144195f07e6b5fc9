// The original's command line, PORT BLOCK_SECONDS TIMEOUT_SECONDS: reads it, and sets the original's rules.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine, packageFile } from "../files/package.ts";
import { type SettingName, settings } from "./settings.ts";
import { SettingProblem } from "./values.ts";

export interface OriginalCommandLine {
  /** Whole numbers as texts, as they were typed, checked against their bounds. */
  readonly port: string;
  readonly blockSeconds: string;
  readonly timeoutSeconds: string;
}

const NAMES = ["PORT", "BLOCK_SECONDS", "TIMEOUT_SECONDS"] as const;

/** Names this source of a setting to the user. */
export const originalSource = `the original's command line (${NAMES.join(" ")})`;

/** One line that shows the form of the command line. */
export function describeOriginal(): string {
  return `The original's command line: ${commandLine("parley-server")} ${NAMES.join(" ")}, as in 12000 60 120.`;
}

/** Whether the word is meant as a number, even if the number is not valid. */
export function looksLikeNumber(word: string): boolean {
  return /^[-+]?\.?\d/.test(word);
}

/** @throws UsageError with the form of the command line */
export function readOriginal(words: readonly string[]): OriginalCommandLine {
  const missing = NAMES.slice(words.length);
  if (missing.length > 0) throw problem(`missing: ${missing.join(" and ")}`);
  const extra = words[NAMES.length];
  if (extra !== undefined) throw problem(`unexpected "${extra}"`);
  const [port = "", blockSeconds = "", timeoutSeconds = ""] = words;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw problem(`PORT: expected a whole number, 0 to 65535, not "${port}"`);
  }
  check("BLOCK_SECONDS", () => settings.lockDurationMs.parse(blockSeconds));
  check("TIMEOUT_SECONDS", () => settings.idleTimeoutMs.parse(timeoutSeconds));
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
 * The original's rules as settings, in texts.
 * @param host the address that stands for all interfaces
 * @param folder the folder whose credentials.txt has the users; without that file, the package's own is used
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
    ["lockDurationMs", blockSeconds],
    ["idleTimeoutMs", timeoutSeconds],
    ["presenceGraceMs", "0"],
  ]);
}
