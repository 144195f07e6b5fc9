// Sets a new password with the link that the server's operator sent, and stores the session that this starts.
import { resetPassword } from "../../link/server/account.ts";
import { Endpoint } from "../../link/server/endpoint.ts";
import type { Wanted } from "../command/account-flags.ts";
import type { Call } from "../command/command.ts";
import { name } from "../command/show.ts";
import { terminalAsker } from "../process/prompts.ts";
import { line } from "../terminal/text/style.ts";
import { grantMessage, type passwordFlag, requirePassword, withNewPassword } from "./credentials.ts";
import { choose, clientInfo, keepGrant, type SignInContext, trustServerForLogIn } from "./sign-in.ts";
import { rememberConnected } from "./trusted-server.ts";
import { openContext, withConnectionHints } from "./with-account.ts";

export interface Resetting {
  readonly wanted: Wanted;
  readonly secret: string;
  /** Called before anything is connected. @throws CommandError to stop */
  readonly check: (context: SignInContext) => void;
}

export async function resetPasswordAt(call: Call<typeof passwordFlag>, resetting: Resetting): Promise<void> {
  const { environment, output } = call;
  const asker = terminalAsker(environment);
  requirePassword(call, asker);
  const context = openContext(call, asker);
  using _state = context.state;
  resetting.check(context);
  const { address } = choose(context.state, { ...resetting.wanted, as: undefined });
  const retry = [environment.program, "login", "--server", address];
  const { profile, endedSessions } = await withConnectionHints(address, retry, async () => {
    const server = await trustServerForLogIn(context, address, undefined, resetting.wanted);
    await using endpoint = new Endpoint(server);
    await rememberConnected(context.state.servers, endpoint, server);
    const reset = { reset: resetting.secret, client: clientInfo() };
    const { grant, endedSessions } = await withNewPassword(call, asker, (newPassword) =>
      resetPassword(endpoint, { ...reset, newPassword }),
    );
    return { profile: await keepGrant(context, endpoint, grant), endedSessions };
  });
  await output.result(
    grantMessage(profile),
    line`Welcome back, ${name(profile.username)}: the new password is set, and you are logged in at ${address}. Other sessions ended: ${endedSessions}.`,
  );
}
