// Connects a program in one call: it authenticates the server, logs in, opens the stored state, and opens a link.
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
import { newSession, type OwnSession, type SessionOptions, storedSession } from "./session.ts";

/**
 * Logs in and opens a link, which reconnects until it is closed.
 * @throws ConnectError if the server is unreachable or fails the authentication; nothing was sent then
 * @throws RpcError if the server refuses the log-in, such as CREDENTIALS_WRONG
 * @throws TypeError if the options do not fit together, or `privateChats.listen` has the wrong shape
 * @throws ListenError if `privateChats.listen` cannot be used
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
  // The link does not need the password, so it does not keep it in memory.
  const { login: _login, ...others } = options;
  const kept = { ...others, ...session, ...queueOf(options), ...(chats && withRequests(options, chats)) };
  return new Connection({ ...kept, endpoint, cursors }, chats, resources.move());
}

/** Without this check a JavaScript program would get an unclear error after the log-in. */
function checkListen(listen: unknown): void {
  if (listen === undefined) return;
  const { host, port } = Object(listen);
  if (typeof host === "string" && typeof port === "number") return;
  throw new TypeError('privateChats.listen must be { host, port }, such as { host: "127.0.0.1", port: 0 }.');
}

async function openSession(
  { login, stateFolder, client, privateChats }: ConnectOptions,
  endpoint: Endpoint,
  resources: AsyncDisposableStack,
): Promise<{ session: SessionOptions; own: OwnSession | undefined }> {
  if ("token" in login) {
    if (stateFolder !== undefined)
      throw new TypeError(
        "A state folder needs a log-in with a password, because a token is only one session.",
      );
    if (privateChats !== undefined)
      throw new TypeError(
        "Private chats need a log-in with a password, because a token does not identify the device.",
      );
    return { session: { token: login.token }, own: undefined };
  }
  if (stateFolder === undefined) {
    const own = await newSession(endpoint, login, client);
    return { session: own.link, own };
  }
  // Loaded only here, because it loads SQLite.
  const { State } = await import("../state/state.ts");
  const state = resources.use(new State(stateFolder, { onProblem: (error) => process.emitWarning(error) }));
  const own = await storedSession(endpoint, login, client, state);
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
  const { listen, allowHalfOpen = false, policy = {} } = privateChats;
  const known = { endpoint, token, names, keys, contacts, listen, allowHalfOpen, policy };
  const program = client === undefined ? {} : { client: { name: client.name, version: client.version } };
  return resources.use(await PrivateChats.open({ ...known, ...program }));
}

/** Options that let the link receive requests for private chats. */
function withRequests(
  { features = [], beforeStream }: ConnectOptions,
  chats: PrivateChats,
): Pick<LinkOptions, "features" | "processId" | "beforeStream"> {
  const wanted = features.length > 0 ? features : [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS];
  return {
    features: [...new Set([...wanted, Feature.INTRODUCTIONS])],
    processId: chats.processId,
    beforeStream: async (serverId) => {
      await chats.beforeStream(serverId);
      await beforeStream?.(serverId);
    },
  };
}

/** A queue of the program overrides that of the state folder. */
function queueOf({ queue }: ConnectOptions): Pick<ConnectOptions, "queue"> {
  return queue === undefined ? {} : { queue };
}
