// What is kept of private chats on this device, for `parley history`: printed, or deleted. No server is called.

import { withProfile } from "../account/with-account.ts";
import type { AccountCall } from "../command/command.ts";
import { name, privateLine } from "../command/show.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { line } from "../terminal/text/style.ts";

export interface StoredLinesOptions {
  readonly username: string;
  /** How many of the newest lines. */
  readonly count: number;
  /** Delete all of them instead. */
  readonly forget: boolean;
}

/** @throws CommandError: with --json (exit 2), where text may be left in the file (exit 1), and as withProfile */
export async function handleStoredLines(
  call: AccountCall,
  { username, count, forget }: StoredLinesOptions,
): Promise<undefined> {
  if (call.json) throw usage("--private has no --json: what is kept is no message of the contract.");
  return withProfile(call, async (state, { profileId, username: me }) => {
    const lines = state.privateLines(profileId);
    if (forget) {
      const forgotten = lines.forget(username);
      const what = forgotten.lines === 1 ? "1 line is" : `${forgotten.lines} lines are`;
      await call.output.line(line`${what} deleted of private chats with ${name(username)}.`);
      if (forgotten.isGone) return;
      throw new CommandError(
        Exit.REFUSED,
        "Their text may still be in the state file, as another parley is using it: say the same again in a moment.",
      );
    }
    const kept = lines.last(username, count);
    if (kept.length === 0) call.output.notice(`Nothing is kept here of private chats with ${username}.`);
    for (const one of kept) await call.output.line(privateLine(one, me));
  });
}
