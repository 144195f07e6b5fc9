// Creates an account and stores its first session, for signup and join.
import { RpcError } from "../../../rpc/status/status.ts";
import { signUp } from "../../link/server/account.ts";
import { Endpoint } from "../../link/server/endpoint.ts";
import type { Wanted } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { name } from "../command/show.ts";
import { sentence } from "../process/failure.ts";
import { type Asker, terminalAsker } from "../process/prompts.ts";
import { safeText } from "../terminal/text/safe-text.ts";
import { line } from "../terminal/text/style.ts";
import {
  grantMessage,
  type passwordFlag,
  requirePassword,
  usernameOr,
  withNewPassword,
} from "./credentials.ts";
import { choose, clientInfo, keepGrant, type SignInContext, trustServerForLogIn } from "./sign-in.ts";
import { rememberConnected } from "./trusted-server.ts";
import { openContext, withConnectionHints } from "./with-account.ts";

export interface SigningUp {
  readonly wanted: Wanted;
  /** If undefined, the person is asked. */
  readonly username: string | undefined;
  /** "" for none. */
  readonly invite: string;
  /** Called before anything is connected. @throws CommandError to stop */
  readonly check?: (context: SignInContext) => void;
}

export async function signUpAt(call: Call<typeof passwordFlag>, signingUp: SigningUp): Promise<void> {
  const { environment, output } = call;
  const asker = terminalAsker(environment);
  requirePassword(call, asker);
  const context = openContext(call, asker);
  using _state = context.state;
  signingUp.check?.(context);
  const username = await usernameOr(signingUp.username, asker);
  const { address } = choose(context.state, { ...signingUp.wanted, as: undefined });
  const retry = [
    environment.program,
    "signup",
    username,
    ...(signingUp.invite === "" ? [] : ["--invite", signingUp.invite]),
  ];
  const profile = await withConnectionHints(address, retry, async () => {
    const server = await trustServerForLogIn(context, address, username, signingUp.wanted);
    await using endpoint = new Endpoint(server);
    await rememberConnected(context.state.servers, endpoint, server);
    const { invite } = signingUp;
    const grant = await withNewPassword(call, asker, (password) =>
      withName(username, call.values["password-stdin"] === true ? undefined : asker, (chosen) =>
        signUp(endpoint, { username: chosen, password, invite, client: clientInfo() }),
      ),
    );
    return await keepGrant(context, endpoint, grant);
  });
  await output.result(
    grantMessage(profile),
    line`Welcome, ${name(profile.username)}: you are logged in at ${address}.`,
  );
}

/** Runs the work with the name. A person is asked for another one if the server refuses it. */
async function withName<T>(
  first: string,
  asker: Asker | undefined,
  work: (username: string) => Promise<T>,
): Promise<T> {
  for (let username = first; ; ) {
    try {
      return await work(username);
    } catch (error) {
      const isRefused = error instanceof RpcError && /^USERNAME_(?:INVALID|TAKEN)$/.test(error.reason);
      if (!isRefused || asker === undefined) throw error;
      asker.show(`${safeText(sentence(error.message))} Try again.`);
      username = await usernameOr(undefined, asker);
    }
  }
}
