// The frame of every command that needs a session: opens the state, signs in without asking, and says what failed.
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

/** The state of this installation, and who may be asked. Dispose of the state. */
export function openContext(
  { environment, output }: Pick<AccountCall, "environment" | "output">,
  asker?: Asker,
): SignInContext {
  const notice = (sentence: string): void => output.notice(sentence);
  const state = new State(environment.home, { onProblem: (error) => notice(error.message) });
  return { environment, state, asker, notice };
}

/**
 * Runs the work in the session that the flags ask for. Work that only reads can be repeated, so where its connection
 * is lost nothing is unknown.
 * @throws CommandError, also where there is no such session (exit 4) or no connection (exit 3); and what the work throws
 */
export async function withAccount<T>(
  call: AccountCall,
  effect: "reads" | "changes",
  work: (signedIn: SignedIn, context: SignInContext) => Promise<T>,
): Promise<T> {
  const { environment } = call;
  const context = openContext(call);
  using _state = context.state;
  await using signedIn = await reaching(context, call);
  try {
    return await work(signedIn, context);
  } catch (error) {
    const { address, username } = signedIn.profile;
    if (error instanceof ConnectError) {
      throw cannotConnect(address, error, [environment.program, "whoami", "--as", username]);
    }
    if (error instanceof RpcError && isLoggedOut(error)) {
      const login = notLoggedIn(environment, address, username, error);
      if (error.reason !== "SESSION_TIMED_OUT") throw login;
      context.state.profiles.loggedOut(signedIn.profile.profileId);
      throw new CommandError(login.exitCode, `${error.message} ${login.message}`, { cause: error });
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
 * Runs work that looks only at what is on this disk: no server is called, and no session is needed.
 * @throws CommandError where nobody was ever logged in here as the flags say (exit 4); and what the work throws
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

async function reaching(context: SignInContext, call: AccountCall): Promise<SignedIn> {
  const wanted = wantedOf(call.values);
  try {
    return await signIn(context, wanted);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    throw cannotConnect(choose(context.state, wanted).address, error, []);
  }
}

/** Runs what connects, and says in a person's words why it cannot. `retry` as in TrustOptions. */
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
