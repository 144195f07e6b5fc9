// Creates an account and stores its first session, for signup and join.
import { signUp } from "../../link/server/account.ts";
import { Endpoint } from "../../link/server/endpoint.ts";
import type { Wanted } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { name } from "../command/show.ts";
import { terminalAsker } from "../process/prompts.ts";
import { line } from "../terminal/text/style.ts";
import { grantMessage, newPassword, type passwordFlag, requirePassword, usernameOr } from "./credentials.ts";
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
    const password = await newPassword(call, asker);
    await using endpoint = new Endpoint(server);
    await rememberConnected(context.state.servers, endpoint, server);
    const { invite } = signingUp;
    const grant = await signUp(endpoint, { username, password, invite, client: clientInfo() });
    return await keepGrant(context, endpoint, grant);
  });
  await output.result(
    grantMessage(profile),
    line`Welcome, ${name(profile.username)}: you are logged in at ${address}.`,
  );
}
