// Signing in at a screen: asks for the server, the user name and the password that are not known yet.
import { UsageError } from "../../../../command-line/usage-error.ts";
import { ConnectError } from "../../../../rpc/dialling/dial.ts";
import { choose, type SignedIn, type SignInContext, signIn } from "../../account/sign-in.ts";
import { cannotConnect } from "../../account/trusted-server.ts";
import type { Wanted } from "../../command/account-flags.ts";
import { defaultAddress, readAddress } from "../../command/address.ts";
import type { Environment } from "../../process/environment.ts";
import type { CommandError } from "../../process/exit.ts";
import { type Asker, terminalAsker } from "../../process/prompts.ts";
import { PromptInput } from "../../terminal/input/prompt-input.ts";

/**
 * Signs in, with questions at the terminal. Keys typed ahead of a question go to the next question, or to the screen.
 * @throws CommandError, RpcError
 */
export async function askSignIn(context: SignInContext, wanted: Wanted): Promise<SignedIn> {
  const { environment } = context;
  using stdin = new PromptInput(environment.stdin);
  // enquirer uses only what PromptInput has; the type of a real terminal stream has much more.
  const lent = { ...environment, stdin: stdin as unknown as Environment["stdin"] };
  return await signInOrAskServer({ ...context, asker: terminalAsker(lent) }, wanted);
}

/** Turns a failed connection into an error with the sentence and the exit code of the command. */
export function connectFailure(environment: Environment, address: string, error: ConnectError): CommandError {
  return cannotConnect(address, error, [environment.program, "login"]);
}

/** Asks for the server only if none is known and none answers at the default address. */
async function signInOrAskServer(context: SignInContext, wanted: Wanted): Promise<SignedIn> {
  const { state, environment, asker } = context;
  try {
    return await signIn(context, wanted);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const isServerUnknown = wanted.server === undefined && state.servers.find() === undefined;
    if (!isServerUnknown || asker === undefined)
      throw connectFailure(environment, choose(state, wanted).address, error);
    asker.show(`No server answers at ${defaultAddress}.`);
  }
  return askServerAndSignIn(context, asker, wanted);
}

/** Asks for the server until one answers. The user can leave with Ctrl-C. */
async function askServerAndSignIn(context: SignInContext, asker: Asker, wanted: Wanted): Promise<SignedIn> {
  for (;;) {
    const server = await askAddress(asker);
    try {
      return await signIn(context, { ...wanted, server });
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // A server with an unexpected key is never asked about again: the user has to accept the key by a command.
      if (error.found !== undefined) throw connectFailure(context.environment, server, error);
      asker.show(error.message);
    }
  }
}

async function askAddress(asker: Asker): Promise<string> {
  for (;;) {
    const typed = (await asker.text("Server (HOST:PORT)")).trim();
    try {
      return readAddress(typed);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      asker.show(error.message);
    }
  }
}
