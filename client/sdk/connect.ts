// Connects a program in one call: trust, log-in, what is remembered, and a link over it that ends with all of it.
import process from "node:process";
import { Account } from "../link/account.ts";
import { MemoryCursors } from "../link/cursors.ts";
import { Endpoint } from "../link/endpoint.ts";
import { raiseToHeads } from "../link/heads.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import { keptSession, newSession, type SessionOptions } from "./session.ts";

/**
 * Logs in, and opens a link that comes back by itself until it is closed.
 * @throws ConnectError where the server cannot be reached or is not the one that is trusted; nothing was sent then
 * @throws RpcError where it refuses the log-in, such as CREDENTIALS_WRONG
 * @throws TypeError where the options do not go together
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  await using resources = new AsyncDisposableStack();
  const endpoint = resources.use(new Endpoint({ ...options, trust: options.trust ?? { kind: "system" } }));
  const session = await openSession(options, endpoint, resources);
  const cursors = options.cursors ?? session.cursors ?? new MemoryCursors();
  if (options.startAt !== "recent" && cursors.load().length === 0) {
    await raiseToHeads(new Account(endpoint, session.token), cursors);
  }
  // The link lives long, and has no use for the password.
  const { login: _login, ...others } = options;
  const kept = { ...others, ...session, ...given(options) };
  return new Connection({ ...kept, endpoint, cursors }, resources.move());
}

async function openSession(
  { login, stateFolder, client }: ConnectOptions,
  endpoint: Endpoint,
  resources: AsyncDisposableStack,
): Promise<SessionOptions> {
  if ("token" in login) {
    if (stateFolder !== undefined)
      throw new TypeError("A state folder needs a password: a token is one session, which ends.");
    return { token: login.token };
  }
  if (stateFolder === undefined) return newSession(endpoint, login, client);
  // Only here, since it brings SQLite with it.
  const { State } = await import("../state/state.ts");
  const state = resources.use(new State(stateFolder, { onProblem: (error) => process.emitWarning(error) }));
  return keptSession(endpoint, login, client, state);
}

/** What the program gave outranks what the state folder has. */
function given({ queue }: ConnectOptions): Pick<ConnectOptions, "queue"> {
  return queue === undefined ? {} : { queue };
}
