// The credentials file: a user name, one space and a password on each line. At each start the new users are imported.

import { withoutByteOrderMark } from "../../command-line/byte-order-mark.ts";
import { mapUsername } from "../../command-line/map-username.ts";
import { readSmallFile } from "../../command-line/small-file.ts";
import { easyToGuess } from "../auth/choices/easy-passwords.ts";
import type { Passwords } from "../auth/passwords.ts";
import { skeleton } from "../auth/username.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { AccountStore } from "../store/store.ts";

export interface Credential {
  /** The name as it is stored: printable, without spaces, 1 to 64 bytes. */
  readonly username: string;
  /** Everything after the first space: printable, 1 to 256 bytes both before and after normalization. */
  readonly password: string;
}

export interface BadLine {
  /** The number of the line, counted from 1. */
  readonly line: number;
  readonly problem: string;
}

/**
 * Parses a credentials file, which may have CRLF, a byte order mark, blank lines, and no last newline. Bad lines are
 * reported and skipped.
 */
export function parseCredentials(text: string): { credentials: Credential[]; badLines: BadLine[] } {
  const credentials: Credential[] = [];
  const badLines: BadLine[] = [];
  const names = new Set<string>();
  const lines = withoutByteOrderMark(text).split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const separator = line.indexOf(" ");
    const credential = {
      username: mapUsername(line.slice(0, Math.max(0, separator))),
      password: line.slice(separator + 1),
    };
    const problem =
      separator < 0 ? "there is no space between user name and password" : problemOf(credential, names);
    if (problem === undefined) {
      names.add(credential.username);
      credentials.push(credential);
    } else {
      badLines.push({ line: index + 1, problem });
    }
  }
  return { credentials, badLines };
}

function problemOf({ username, password }: Credential, names: ReadonlySet<string>): string | undefined {
  if (username === "") return "it begins with a space";
  // The mapping turns a wide space into an ordinary one.
  if (username.includes(" ")) return "the user name contains a space";
  if (password === "") return "there is no password";
  // Control, unassigned and lone surrogate code points, and the decoder's replacement for bytes that are not UTF-8.
  if (/[\p{Cc}\p{Cn}\p{Cs}\u2028\u2029\ufffd]/u.test(username + password)) {
    return "it contains a character that is not printable or not UTF-8";
  }
  if (Buffer.byteLength(username) > limits.usernameBytes) {
    return `the user name is longer than ${limits.usernameBytes} bytes`;
  }
  // A password is normalized before it is hashed, which makes some characters longer.
  if (
    Math.max(Buffer.byteLength(password), Buffer.byteLength(password.normalize("NFC"))) > limits.passwordBytes
  ) {
    return `the password is longer than ${limits.passwordBytes} bytes`;
  }
  if (names.has(username)) return "the user name is in an earlier line already";
  return undefined;
}

/** The longest file: some 500,000 users. */
const CREDENTIALS_BYTES = 16 * 1024 * 1024;

/** Reads the file. Bad lines are logged and skipped. @throws Error if the file cannot be read */
export async function readCredentials(file: string, log: Log): Promise<Credential[]> {
  const { credentials, badLines } = parseCredentials((await readSmallFile(file, CREDENTIALS_BYTES)).text);
  for (const { line, problem } of badLines) {
    log.warn(
      { event: "credentials line skipped", file, line, problem },
      `${file}, line ${line} skipped: ${problem}`,
    );
  }
  return credentials;
}

/**
 * The number of users that are hashed and stored together. An import that is interrupted continues at the next start.
 */
const BATCH = 100;
/** The number of hashes requested at the same time. More would fill the queue, which log-ins also use. */
const AT_ONCE = 2;

/**
 * Adds the users whose names have never existed. Removed users are not added again, and no password is changed.
 * @returns the names that were added
 */
export async function importCredentials(
  accounts: Pick<AccountStore, "knownNames" | "importUsers">,
  credentials: readonly Credential[],
  passwords: Passwords,
): Promise<string[]> {
  const added: string[] = [];
  for (let start = 0; start < credentials.length; start += BATCH) {
    const batch = credentials.slice(start, start + BATCH);
    const known = new Set(await accounts.knownNames(batch.map(({ username }) => username)));
    const hashed = await hashAll(
      batch.filter(({ username }) => !known.has(username)),
      passwords,
    );
    const time = Date.now();
    const users = hashed.map(({ username, passwordHash }) => ({
      username,
      passwordHash,
      skeleton: skeleton(username),
      time,
    }));
    if (users.length > 0) added.push(...(await accounts.importUsers(users)));
  }
  return added;
}

/** The names among the imported ones whose passwords are easy to guess. The operator is warned; they are imported. */
export function easilyGuessed(credentials: readonly Credential[], imported: readonly string[]): string[] {
  const names = new Set(imported);
  return credentials
    .filter(({ username, password }) => names.has(username) && easyToGuess(password, username) !== undefined)
    .map(({ username }) => username);
}

async function hashAll(
  credentials: readonly Credential[],
  passwords: Passwords,
): Promise<{ username: string; passwordHash: string }[]> {
  const hashed: { username: string; passwordHash: string }[] = [];
  const rest = credentials.values();
  const work = async (): Promise<void> => {
    for (const { username, password } of rest) {
      hashed.push({ username, passwordHash: await passwords.hash(password) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return hashed;
}
