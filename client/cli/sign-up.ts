// Makes an account at a server and keeps its first session: what signup and join have in common.
import { signUp } from "../link/account.ts";
import { Endpoint } from "../link/endpoint.ts";
import type { Wanted } from "./account-flags.ts";
import type { Call } from "./command.ts";
import { grantMessage, newPassword, type passwordFlag, requirePassword, usernameOr } from "./credentials.ts";
import { terminalAsker } from "./prompts.ts";
import { name } from "./show.ts";
import { choose, clientInfo, type Desk, keepGrant, reachForLogIn } from "./sign-in.ts";
import { line } from "./terminal/style.ts";
import { explainingConnection, openDesk } from "./with-account.ts";

export interface SigningUp {
  readonly wanted: Wanted;
  /** Undefined: the person is asked. */
  readonly username: string | undefined;
  /** "" for none. */
  readonly invite: string;
  /** Has a last word before anything is connected. */
  readonly check?: (desk: Desk) => void;
}

export async function signUpAt(call: Call<typeof passwordFlag>, signingUp: SigningUp): Promise<void> {
  const { environment, output } = call;
  const asker = terminalAsker(environment);
  requirePassword(call, asker);
  const desk = openDesk(call, asker);
  using _state = desk.state;
  signingUp.check?.(desk);
  const username = await usernameOr(signingUp.username, asker);
  const { address } = choose(desk.state, { ...signingUp.wanted, as: undefined });
  const retry = [
    environment.program,
    "signup",
    username,
    ...(signingUp.invite === "" ? [] : ["--invite", signingUp.invite]),
  ];
  const profile = await explainingConnection(address, retry, async () => {
    const trust = await reachForLogIn(desk, address, username, signingUp.wanted);
    const password = await newPassword(call, asker);
    await using endpoint = new Endpoint({ address, trust });
    const { invite } = signingUp;
    const grant = await signUp(endpoint, { username, password, invite, client: clientInfo() });
    return await keepGrant(desk, endpoint, grant);
  });
  await output.result(
    grantMessage(profile),
    line`Welcome, ${name(profile.username)}: you are logged in at ${address}.`,
  );
}
