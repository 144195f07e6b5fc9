// Leaving the server after a chat: waits for messages on their way, logs out if asked to, and chooses the exit code.
import { ConnectError } from "../../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { waitFor } from "../../../../time/wait.ts";
import type { Link } from "../../../link/link.ts";
import { isConnectionLost, isLoggedOut } from "../../../link/model/errors.ts";
import type { LinkEnding } from "../../../link/model/events.ts";
import type { Profile } from "../../../state/profiles.ts";
import type { SignedIn, SignInContext } from "../../account/sign-in.ts";
import { cannotConnect } from "../../account/trusted-server.ts";
import { Exit, type ExitCode } from "../../process/exit.ts";
import type { ChatOutcome } from "../model/outcome.ts";
import { connectFailure } from "./ask-sign-in.ts";

/** How long leaving waits for messages on their way, and for the log-out, ms. */
const LEAVING_MS = 3_000;

/**
 * Does what the outcome asks for, and returns the exit code.
 * @throws the error of an outcome that is a failure
 */
export async function leave(
  outcome: ChatOutcome,
  context: SignInContext,
  signedIn: SignedIn,
  link: Link,
): Promise<ExitCode> {
  const { environment, notice } = context;
  const { profile } = signedIn;
  switch (outcome.kind) {
    case "quit":
      await waitForSends(link, context, signedIn);
      // A script that ends is not a user who leaves: others would see the user come and go with each run.
      if (outcome.inputEnded !== true) link.leave();
      return Exit.DONE;
    case "terminal-gone":
      await waitForSends(link, context, signedIn);
      return Exit.DONE;
    case "logout":
      await waitForSends(link, context, signedIn);
      await endLogin(context, signedIn);
      return Exit.DONE;
    case "signal":
      reportUnsent(context, profile);
      // As `tail` does: stopping the process from outside is the usual way to end it.
      return outcome.signal === "SIGINT" ? Exit.INTERRUPTED : Exit.DONE;
    case "unsent":
      // 0: only lines of private chats did not arrive, and those were reported.
      if (outcome.messages > 0) notice(unsentAtEnd(outcome.messages));
      return Exit.OUTCOME_UNKNOWN;
    case "cannot-connect":
      if (!(outcome.cause instanceof ConnectError)) throw outcome.cause;
      throw connectFailure(environment, profile.address, outcome.cause);
    case "ended":
      reportUnsent(context, profile);
      return leaveEnded(outcome.ending, context, signedIn);
  }
}

/** Whether the login ends with this outcome, so that nothing is left to log out. */
export function endsLogin(outcome: ChatOutcome): boolean {
  return outcome.kind === "logout" || (outcome.kind === "ended" && outcome.ending.kind === "not-logged-in");
}

/** Logs out. The login is removed from this device even if the server cannot be reached. */
export async function endLogin({ notice, state }: SignInContext, signedIn: SignedIn): Promise<void> {
  try {
    await logOut(signedIn, notice);
  } finally {
    state.profiles.loggedOut(signedIn.profile);
  }
}

function leaveEnded(
  ending: LinkEnding,
  { environment, state }: SignInContext,
  { profile }: SignedIn,
): ExitCode {
  switch (ending.kind) {
    case "closed":
      return Exit.DONE;
    case "not-logged-in":
      state.profiles.loggedOut(profile);
      return Exit.NOT_LOGGED_IN;
    case "not-trusted":
      throw cannotConnect(profile.address, ending.cause, [environment.program, "--as", profile.username]);
    case "refused":
    case "failed":
      throw ending.cause;
  }
}

/** Messages that are not acked in time stay in the queue, and their number is reported. */
async function waitForSends(link: Link, context: SignInContext, { profile }: SignedIn): Promise<void> {
  const settled = link.settled().then(
    () => true,
    () => false,
  );
  const waited = await waitFor(settled, { ms: link.state.phase === "live" ? LEAVING_MS : 0 });
  if (waited.status === "done" && waited.value) return;
  reportUnsent(context, profile);
}

function reportUnsent({ notice, state }: SignInContext, { profileId }: Profile): void {
  const unsent = state.unsent(profileId).filter(({ held }) => !held).length;
  if (unsent > 0) notice(unsentAtLeaving(unsent));
}

async function logOut({ account, profile }: SignedIn, notice: (sentence: string) => void): Promise<void> {
  try {
    await account.logOut({ timeoutMs: LEAVING_MS });
  } catch (error) {
    // The session had ended already, so there is nothing to log out.
    if (error instanceof RpcError && isLoggedOut(error)) return;
    const lost = error instanceof ConnectError || (error instanceof RpcError && isConnectionLost(error));
    if (!lost) throw error;
    notice(
      `The server could not be reached: the session of ${profile.username} stays open there until it expires.`,
    );
  }
}

function unsentAtEnd(messages: number): string {
  return messages === 1
    ? "Error: The connection is lost, and 1 message has not been sent. The next chat as this user sends it."
    : `Error: The connection is lost, and ${messages} messages have not been sent. The next chat as this user sends them.`;
}

function unsentAtLeaving(messages: number): string {
  return messages === 1
    ? "1 message has not been sent. It will be sent the next time you start parley."
    : `${messages} messages have not been sent. They will be sent the next time you start parley.`;
}
