// Prints or deletes the lines of private chats that are stored on this device, for `parley history`. Calls no server.

import { withProfile } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { name, privateLine } from "../command/show.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { line } from "../terminal/text/style.ts";

export interface StoredLinesOptions {
  readonly username: string;
  /** How many of the newest lines to print. */
  readonly count: number;
  /** Delete all lines instead of printing them. */
  readonly forget: boolean;
}

/**
 * @throws UsageError for --json; CommandError with exit code 1 if deleted text may remain in the file, and as
 *   withProfile
 */
export async function handleStoredLines(
  call: AccountCall,
  { username, count, forget }: StoredLinesOptions,
): Promise<undefined> {
  if (call.json) throw usage("--private has no --json: the stored lines are not messages of the contract.");
  return withProfile(call, async (state, { profileId, username: me }) => {
    const lines = state.privateLines(profileId);
    if (forget) {
      const forgotten = lines.forget(username);
      const what = forgotten.lines === 1 ? "1 line is" : `${forgotten.lines} lines are`;
      await call.output.line(line`${what} deleted from private chats with ${name(username)}.`);
      if (forgotten.isGone) return;
      throw new CommandError(
        Exit.REFUSED,
        "Their text may still be in the state file, because another parley uses it. Run the same command again in a moment.",
      );
    }
    const kept = lines.last(username, count);
    if (kept.length === 0)
      call.output.notice(`No lines of private chats with ${username} are stored on this device.`);
    for (const one of kept) await call.output.line(privateLine(one, me));
  });
}
