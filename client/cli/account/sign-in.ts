// Finds the server, the user and the session for a command from its flags and the stored profiles, and logs in if it
// may ask.
import { hostname } from "node:os";
import { packageVersion } from "../../../command-line/package-files.ts";
import type { Grant } from "../../../gen/parley/chat/v1/auth_service.ts";
import type { ClientInfo } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Trust } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Account, logIn } from "../../link/server/account.ts";
import { Endpoint } from "../../link/server/endpoint.ts";
import type { Profile } from "../../state/profiles.ts";
import type { State } from "../../state/state.ts";
import type { Wanted } from "../command/account-flags.ts";
import { defaultAddress } from "../command/address.ts";
import type { Environment } from "../process/environment.ts";
import { CommandError, Exit } from "../process/exit.ts";
import type { Asker } from "../process/prompts.ts";
import { commandLine } from "../process/quoted-command-line.ts";
import { loggedOutWords } from "./logged-out.ts";
import { recogniseServer, rememberConnected, type TrustedServer, trustServer } from "./trusted-server.ts";

/** How many times a person may enter a password. */
const passwordTries = 3;

/** The environment of signing in. */
export interface SignInContext {
  readonly environment: Environment;
  readonly state: State;
  /** Undefined if the command must not ask. */
  readonly asker: Asker | undefined;
  /** Called with sentences for the person that are not errors. */
  readonly notice: (sentence: string) => void;
}

/** A profile with a session, and a connection to its server. Disposing of it closes the connection, not the session. */
export class SignedIn implements AsyncDisposable {
  readonly profile: Profile;
  readonly token: string;
  readonly endpoint: Endpoint;
  readonly account: Account;
  /** This run of the program logged in; otherwise the session was stored. */
  readonly isNew: boolean;

  constructor(profile: Profile, token: string, trust: Trust, isNew: boolean) {
    this.profile = profile;
    this.token = token;
    this.isNew = isNew;
    this.endpoint = new Endpoint({ address: profile.address, trust });
    this.account = new Account(this.endpoint, token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endpoint[Symbol.asyncDispose]();
  }
}

export interface Choice {
  readonly address: string;
  /** Undefined if neither the flags nor a stored profile name a user. */
  readonly username: string | undefined;
  /** The stored profile of that user on that server. */
  readonly profile: Profile | undefined;
}

/** The wanted server and user; else those used last; else the default server without a user. */
export function choose(state: State, wanted: Wanted): Choice {
  const { profiles, servers } = state;
  const profile = profiles.find({ address: wanted.server, username: wanted.as });
  return {
    address: wanted.server ?? profile?.address ?? servers.find()?.address ?? defaultAddress,
    username: wanted.as ?? profile?.username,
    profile,
  };
}

/**
 * The stored session, or a new one if there is a person to ask. Its profile becomes the one used last. Does not connect
 * if a session is stored, unless the address or the trust is new.
 * @throws CommandError, ConnectError, RpcError
 */
export async function signIn(context: SignInContext, wanted: Wanted): Promise<SignedIn> {
  const { state, environment } = context;
  await recogniseAddress(state, wanted);
  const { address, username, profile } = choose(state, wanted);
  const session = profile?.session;
  if (profile === undefined || session === undefined || wanted.fresh === true) {
    if (context.asker === undefined) throw notLoggedIn(environment, address, username);
    return askIn(context, context.asker, address, wanted.fresh === true ? wanted.as : username, wanted);
  }
  const retry = [environment.program, "whoami", "--as", profile.username];
  const server = await trustServer(address, wanted, {
    ...context,
    servers: state.servers,
    retry,
    isLogIn: false,
  });
  // Written only if it changes, because hundreds of processes may start at the same time, mostly as the same user.
  if (state.profiles.find()?.profileId !== profile.profileId) state.profiles.use(profile);
  const signedIn = new SignedIn(profile, session.token, server.trust, false);
  try {
    await rememberConnected(state.servers, signedIn.endpoint, server);
  } catch (error) {
    await signedIn[Symbol.asyncDispose]();
    throw error;
  }
  return signedIn;
}

/** Finds out whether an unknown address is another address of a server on which a user is logged in. */
async function recogniseAddress({ profiles, servers }: State, wanted: Wanted): Promise<void> {
  const { server, plaintext, fresh } = wanted;
  if (server === undefined || plaintext === true || fresh === true) return;
  if (servers.find(server) !== undefined) return;
  if (profiles.list().some(({ trust }) => trust.kind !== "plaintext")) await recogniseServer(server, servers);
}

async function askIn(
  context: SignInContext,
  asker: Asker,
  address: string,
  known: string | undefined,
  wanted: Wanted,
): Promise<SignedIn> {
  const server = await trustServerForLogIn(context, address, known, wanted);
  const username = known ?? (await askName(asker));
  const question = known === undefined ? "Password" : `Password of ${username}`;
  const keepsLogin = wanted.fresh === true;
  const profile = await askSession(context, asker, { server, username, keepsLogin }, question);
  return new SignedIn(profile, tokenOf(profile), server.trust, true);
}

/** Like startSession, but asks for the password, again if it was wrong. @throws as startSession, CommandError */
export async function askSession(
  context: SignInContext,
  asker: Asker,
  user: Omit<Credentials, "password">,
  question: string,
): Promise<Profile> {
  for (let tries = 1; ; tries++) {
    const password = await asker.password(question);
    try {
      return await startSession(context, { ...user, password });
    } catch (error) {
      if (!(error instanceof RpcError && error.reason === "CREDENTIALS_WRONG") || tries === passwordTries)
        throw error;
      asker.show("User name or password is wrong. Try again.");
    }
  }
}

/** Asks again if the person types Enter alone. */
async function askName(asker: Asker): Promise<string> {
  for (;;) {
    const username = (await asker.text("Username")).trim();
    if (username !== "") return username;
  }
}

/** Like trustServer, for use before a log-in. */
export async function trustServerForLogIn(
  context: SignInContext,
  address: string,
  username: string | undefined,
  wanted: Wanted,
): Promise<TrustedServer> {
  const retry = [context.environment.program, "login", ...(username === undefined ? [] : [username])];
  return trustServer(address, wanted, { ...context, servers: context.state.servers, retry, isLogIn: true });
}

export interface Credentials {
  readonly server: TrustedServer;
  readonly username: string;
  readonly password: string;
  /** A session that is stored already stays stored, and the new one is not stored. */
  readonly keepsLogin?: boolean;
}

/** Logs in as this installation's device or a new one, and stores the session. @throws ConnectError, RpcError */
export async function startSession(context: SignInContext, credentials: Credentials): Promise<Profile> {
  const { server, username, password, keepsLogin } = credentials;
  const { address } = server;
  const { profiles, servers } = context.state;
  await using endpoint = new Endpoint(server);
  await rememberConnected(servers, endpoint, server);
  const client = clientInfo();
  const before = profiles.find({ address, username });
  const device = before?.device.deviceSecret === "" ? undefined : before?.device;
  let grant: Grant;
  try {
    grant = await logIn(endpoint, { username, password, device, client });
  } catch (error) {
    if (!(error instanceof RpcError && error.reason === "DEVICE_INVALID") || before === undefined)
      throw error;
    // The server lost its data, or the user removed the device: this installation registers as a new device.
    profiles.forgetDevice(before.profileId);
    grant = await logIn(endpoint, { username, password, client });
  }
  return await keepGrant(context, endpoint, grant, keepsLogin);
}

/** Stores the result of a log-in or sign-up, and registers the keys of a new device. */
export async function keepGrant(
  context: SignInContext,
  endpoint: Endpoint,
  grant: Grant,
  keepsLogin = false,
): Promise<Profile> {
  const { address } = endpoint;
  const { profiles } = context.state;
  const { profile, serverChanged, formerServerId } = profiles.loggedIn(address, grant, { keepsLogin });
  if (serverChanged) {
    context.notice(
      `The server at ${address} has other data than before. Messages that were not sent are kept: see ${commandLine(context.environment.program, "outbox", "list")}.`,
    );
  }
  // Loaded here, because commands that do not log in need no keys.
  const { registerDevice } = await import("./register-device.ts");
  await registerDevice(context.state, profile, endpoint, formerServerId);
  return profile;
}

/** The error for exit code 4, with the command that logs in. @param cause the server's refusal, if there was one */
export function notLoggedIn(
  environment: Environment,
  address: string,
  username: string | undefined,
  cause?: RpcError,
): CommandError {
  const who = username === undefined ? "You are" : `${username} is`;
  const command = commandLine(environment.program, "login", username ?? "USER", "--server", address);
  const state = `${who} not logged in at ${address}.`;
  // A token that the server does not know tells nothing new.
  const isKnown = cause !== undefined && cause.reason !== "TOKEN_INVALID";
  const words = isKnown ? loggedOutWords(cause) : state;
  return new CommandError(Exit.NOT_LOGGED_IN, `${words} Run: ${command}`, { cause });
}

/** Describes this program to a server. */
export function clientInfo(): ClientInfo {
  return { name: "parley", version: packageVersion(), deviceName: shortened(hostname(), 64) };
}

function shortened(text: string, bytes: number): string {
  const encoded = new Uint8Array(bytes);
  const { read } = new TextEncoder().encodeInto(text, encoded);
  return text.slice(0, read);
}

function tokenOf(profile: Profile): string {
  if (profile.session === undefined) throw new Error("The profile has no session after its log-in.");
  return profile.session.token;
}
