// Connects a program in one call: trust, log-in, what is remembered, and a link over it that ends with all of it.
import process from "node:process";
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import type { LinkOptions } from "../link/link-options.ts";
import { MemoryCursors } from "../link/model/cursors.ts";
import { raiseToHeads } from "../link/receiving/heads.ts";
import { Account } from "../link/server/account.ts";
import { Endpoint } from "../link/server/endpoint.ts";
import { PrivateChats } from "../peer/private-chats.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import { keptSession, newSession, type OwnSession, type SessionOptions } from "./session.ts";

/**
 * Logs in, and opens a link that comes back by itself until it is closed.
 * @throws ConnectError where the server cannot be reached or is not the one that is trusted; nothing was sent then
 * @throws RpcError where it refuses the log-in, such as CREDENTIALS_WRONG
 * @throws TypeError where the options do not go together, or `privateChats.listen` is not of its shape
 * @throws ListenError where `privateChats.listen` cannot be used
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  checkListen(options.privateChats?.listen);
  await using resources = new AsyncDisposableStack();
  const endpoint = resources.use(new Endpoint({ ...options, trust: options.trust ?? { kind: "system" } }));
  const { session, own } = await openSession(options, endpoint, resources);
  const cursors = options.cursors ?? session.cursors ?? new MemoryCursors();
  if (options.startAt !== "recent" && cursors.load().length === 0) {
    await raiseToHeads(new Account(endpoint, session.token), cursors);
  }
  const chats = own && (await openChats(options, endpoint, own, resources));
  // The link lives long, and has no use for the password.
  const { login: _login, ...others } = options;
  const kept = { ...others, ...session, ...given(options), ...(chats && withQuestions(options, chats)) };
  return new Connection({ ...kept, endpoint, cursors }, chats, resources.move());
}

/** JavaScript may bring anything, and would learn of it only after the log-in, by a sentence about a port "undefined". */
function checkListen(listen: unknown): void {
  if (listen === undefined) return;
  const { host, port } = Object(listen);
  if (typeof host === "string" && typeof port === "number") return;
  throw new TypeError(
    'privateChats.listen has to be { host, port }, such as { host: "127.0.0.1", port: 0 }.',
  );
}

async function openSession(
  { login, stateFolder, client, privateChats }: ConnectOptions,
  endpoint: Endpoint,
  resources: AsyncDisposableStack,
): Promise<{ session: SessionOptions; own: OwnSession | undefined }> {
  if ("token" in login) {
    if (stateFolder !== undefined)
      throw new TypeError("A state folder needs a password: a token is one session, which ends.");
    if (privateChats !== undefined)
      throw new TypeError("Private chats need a password: a token does not say whose device this is.");
    return { session: { token: login.token }, own: undefined };
  }
  if (stateFolder === undefined) {
    const own = await newSession(endpoint, login, client);
    return { session: own.link, own };
  }
  // Only here, since it brings SQLite with it.
  const { State } = await import("../state/state.ts");
  const state = resources.use(new State(stateFolder, { onProblem: (error) => process.emitWarning(error) }));
  const own = await keptSession(endpoint, login, client, state);
  return { session: own.link, own };
}

async function openChats(
  { privateChats, client }: ConnectOptions,
  endpoint: Endpoint,
  { link, names, keys, contacts }: OwnSession,
  resources: AsyncDisposableStack,
): Promise<PrivateChats | undefined> {
  if (privateChats === undefined) return undefined;
  const { token } = link;
  const { listen, allowHalfOpen = false } = privateChats;
  const known = { endpoint, token, names, keys, contacts, listen, allowHalfOpen };
  const program = client === undefined ? {} : { client: { name: client.name, version: client.version } };
  return resources.use(await PrivateChats.open({ ...known, ...program }));
}

/** A link over which others ask for private chats. */
function withQuestions(
  { features = [], beforeStream }: ConnectOptions,
  chats: PrivateChats,
): Pick<LinkOptions, "features" | "processId" | "beforeStream"> {
  const wanted = features.length > 0 ? features : [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS];
  return {
    features: [...new Set([...wanted, Feature.INTRODUCTIONS])],
    processId: chats.processId,
    beforeStream: async () => {
      await chats.register();
      await beforeStream?.();
    },
  };
}

/** What the program gave outranks what the state folder has. */
function given({ queue }: ConnectOptions): Pick<ConnectOptions, "queue"> {
  return queue === undefined ? {} : { queue };
}
