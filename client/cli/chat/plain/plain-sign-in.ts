// Signs in over plain lines: user name and password are read from the same stream as the lines after them.
import { withoutByteOrderMark } from "../../../../command-line/byte-order-mark.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import {
  choose,
  SignedIn,
  type SignInContext,
  signIn,
  startSession,
  trustServerForLogIn,
} from "../../account/sign-in.ts";
import type { Wanted } from "../../command/account-flags.ts";
import { CommandError, Exit } from "../../process/exit.ts";
import { describeFailure, messageForPerson } from "../../process/failure.ts";
import type { Asker } from "../../process/prompts.ts";
import type { Answer, PlainIO } from "../../terminal/plain-io.ts";

const PASSWORD_TRIES = 3;

/** Asks the user at a terminal in plain lines. A script has no asker: it gets an error that names the flag to use. */
export function plainAsker(io: PlainIO, notice: (sentence: string) => void): Asker {
  return {
    text: async (question) => answerOf(await io.ask(`${question}: `)),
    password: async (question) => answerOf(await io.askSecret(`${question}: `)),
    confirm: async (question) => /^y(es)?$/i.test(answerOf(await io.ask(`${question} (yes/no): `)).trim()),
    show: notice,
  };
}

/**
 * Uses the stored session, if there is one; otherwise asks for user name and password. A password always follows a user
 * name, so that the lines a script writes do not depend on what is stored.
 * @throws CommandError, ConnectError, RpcError
 */
export async function plainSignIn(context: SignInContext, io: PlainIO, wanted: Wanted): Promise<SignedIn> {
  const { address, profile } = choose(context.state, wanted);
  if (profile?.session !== undefined && wanted.fresh !== true) return signIn(context, wanted);
  const server = await trustServerForLogIn(context, address, wanted.as, wanted);
  const username = wanted.as ?? answerOf(await io.ask("Username: "));
  for (let tries = 1; ; tries++) {
    const password = answerOf(await io.askSecret("Password: "));
    try {
      const loggedIn = await startSession(context, {
        server,
        username,
        password,
        keepsLogin: wanted.fresh === true,
      });
      const { session } = loggedIn;
      if (session === undefined) throw new Error("The profile has no session after its log-in.");
      return new SignedIn(loggedIn, session.token, server.trust, true);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const isWrong = error.reason === "CREDENTIALS_WRONG";
      await io.writeLine(`Error: ${isWrong ? "User name or password is wrong." : messageForPerson(error)}`);
      if (!isWrong || tries === PASSWORD_TRIES) throw new CommandError(describeFailure(error).exitCode, "");
    }
  }
}

function answerOf(answer: Answer): string {
  switch (answer.kind) {
    case "line":
      return withoutByteOrderMark(answer.text);
    case "refused":
      throw new CommandError(Exit.USAGE, "The answer is too long or not valid UTF-8.");
    case "interrupted":
      throw new CommandError(Exit.INTERRUPTED, "");
    case "end":
      throw new CommandError(
        Exit.NOT_LOGGED_IN,
        "The input ended before a user name and a password were read.",
      );
  }
}
