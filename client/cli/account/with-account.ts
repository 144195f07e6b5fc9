// Runs the work of commands that need a session: opens the state, signs in without asking, and describes failures.
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { isConnectionLost, isLoggedOut } from "../../link/model/errors.ts";
import type { Profile } from "../../state/profiles.ts";
import { State } from "../../state/state.ts";
import { wantedOf } from "../command/account-flags.ts";
import type { AccountCall } from "../command/command.ts";
import { CommandError, Exit } from "../process/exit.ts";
import type { Asker } from "../process/prompts.ts";
import { choose, notLoggedIn, type SignedIn, type SignInContext, signIn } from "./sign-in.ts";
import { cannotConnect } from "./trusted-server.ts";

/** The context for signing in, with the state of this installation. The caller disposes of the state. */
export function openContext(
  { environment, output }: Pick<AccountCall, "environment" | "output">,
  asker?: Asker,
): SignInContext {
  const notice = (sentence: string): void => output.notice(sentence);
  const state = new State(environment.home, { onProblem: (error) => notice(error.message) });
  return { environment, state, asker, notice };
}

/**
 * Runs the work in the session that the flags ask for. Work that only reads can be repeated, so a lost connection does
 * not leave its outcome unknown.
 * @throws CommandError, with exit code 4 without such a session and 3 without a connection; and what the work throws
 */
export async function withAccount<T>(
  call: AccountCall,
  effect: "reads" | "changes",
  work: (signedIn: SignedIn, context: SignInContext) => Promise<T>,
): Promise<T> {
  const { environment } = call;
  const context = openContext(call);
  using _state = context.state;
  await using signedIn = await signInByFlags(context, call);
  try {
    return await work(signedIn, context);
  } catch (error) {
    const { address, username } = signedIn.profile;
    if (error instanceof ConnectError) {
      throw cannotConnect(address, error, [environment.program, "whoami", "--as", username]);
    }
    if (error instanceof RpcError && isLoggedOut(error)) {
      if (error.reason === "SESSION_TIMED_OUT") context.state.profiles.loggedOut(signedIn.profile);
      throw notLoggedIn(environment, address, username, error);
    }
    if (error instanceof RpcError && effect === "reads" && isConnectionLost(error)) {
      throw new CommandError(Exit.CANNOT_CONNECT, `The connection to ${address} was lost. Try again.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Runs work on the stored state alone: it calls no server and needs no session.
 * @throws CommandError with exit code 4 if there is no profile for the flags; and what the work throws
 */
export async function withProfile(
  call: AccountCall,
  work: (state: State, profile: Profile) => Promise<void>,
): Promise<undefined> {
  const { state, environment } = openContext(call);
  using _state = state;
  const { profile, address, username } = choose(state, wantedOf(call.values));
  if (profile === undefined) throw notLoggedIn(environment, address, username);
  await work(state, profile);
  return undefined;
}

async function signInByFlags(context: SignInContext, call: AccountCall): Promise<SignedIn> {
  const wanted = wantedOf(call.values);
  try {
    return await signIn(context, wanted);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    throw cannotConnect(choose(context.state, wanted).address, error, []);
  }
}

/** Runs work that connects. @param retry as in TrustOptions @throws CommandError with a hint if it cannot connect */
export async function withConnectionHints<T>(
  address: string,
  retry: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ConnectError ? cannotConnect(address, error, retry) : error;
  }
}
