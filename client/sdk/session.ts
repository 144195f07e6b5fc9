// The session of a program that logs in with a password: the stored session if it is still valid, else a new one.
import type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
import type { ServerTrust } from "../../rpc/dialling/dial.ts";
import { RpcError } from "../../rpc/status/status.ts";
import type { LinkOptions } from "../link/link-options.ts";
import { isLoggedOut } from "../link/model/errors.ts";
import { Account, logIn } from "../link/server/account.ts";
import type { Endpoint } from "../link/server/endpoint.ts";
import { type ContactStore, MemoryContacts } from "../peer/keys/contacts.ts";
import { type KeyStore, MemoryKeys } from "../peer/keys/keys.ts";
import type { OwnNames } from "../peer/keys/registration.ts";
import type { Profile } from "../state/profiles.ts";
import type { State } from "../state/state.ts";
import type { PasswordLogin } from "./connect-options.ts";

/** The options of a link that belong to its session. */
export type SessionOptions = Pick<
  LinkOptions,
  "token" | "serverId" | "onServerChanged" | "cursors" | "queue"
>;

/** A session that was started with a password, so that its user and device are known. */
export interface OwnSession {
  readonly link: SessionOptions;
  readonly names: OwnNames;
  readonly keys: KeyStore;
  readonly contacts: ContactStore;
}

/** Logs in as a new device. @throws RpcError, ConnectError */
export async function newSession(
  endpoint: Endpoint,
  login: PasswordLogin,
  client: ClientInfo | undefined,
): Promise<OwnSession> {
  const { token, serverId, user, device } = await logIn(endpoint, { ...login, client });
  if (user === undefined || device === undefined)
    throw new Error("The server's grant names no user or no device.");
  const { userId, username } = user;
  return {
    link: { token, serverId },
    names: { serverId, userId, username, deviceId: device.deviceId },
    keys: new MemoryKeys(),
    contacts: new MemoryContacts(),
  };
}

/** The stored session, with its cursors and its queue. @throws RpcError, ConnectError */
export async function storedSession(
  endpoint: Endpoint,
  login: PasswordLogin,
  client: ClientInfo | undefined,
  state: State,
): Promise<OwnSession> {
  const before = state.profiles.find({ address: endpoint.address, username: login.username });
  const profile =
    before?.session !== undefined && (await isValid(endpoint, before.session.token))
      ? before
      : await logInAgain(endpoint, login, client, state, before);
  if (profile.session === undefined) throw new Error("The profile has no session after its log-in.");
  const { profileId, serverId, userId, username, device } = profile;
  return {
    link: {
      token: profile.session.token,
      serverId,
      onServerChanged: (id) => state.profiles.serverChanged(profileId, id),
      cursors: state.cursors(profileId),
      queue: state.sendQueue(profileId),
    },
    names: { serverId, userId, username, deviceId: device.deviceId },
    keys: state.keys(profileId),
    contacts: state.contacts(profileId),
  };
}

async function isValid(endpoint: Endpoint, token: string): Promise<boolean> {
  try {
    for await (const _ of new Account(endpoint, token).listSessions()) break;
    return true;
  } catch (error) {
    if (error instanceof RpcError && isLoggedOut(error)) return false;
    throw error;
  }
}

/** Logs in as the stored device, so that unsent messages are not stored twice. */
async function logInAgain(
  endpoint: Endpoint,
  login: PasswordLogin,
  client: ClientInfo | undefined,
  { profiles, servers }: State,
  before: Profile | undefined,
): Promise<Profile> {
  await endpoint.connect();
  servers.remember(endpoint.address, storableTrust(endpoint.trust));
  const device = before?.device.deviceSecret === "" ? undefined : before?.device;
  try {
    const grant = await logIn(endpoint, { ...login, device, client });
    return profiles.loggedIn(endpoint.address, grant).profile;
  } catch (error) {
    if (!(error instanceof RpcError && error.reason === "DEVICE_INVALID") || before === undefined)
      throw error;
    // The server lost its data, or the device was removed: the program logs in as a new device.
    profiles.forgetDevice(before.profileId);
    return profiles.loggedIn(endpoint.address, await logIn(endpoint, { ...login, client })).profile;
  }
}

/** The trust to store. An authority is not stored, because other programs that use the folder should not trust it. */
function storableTrust(trust: ServerTrust): Exclude<ServerTrust, { kind: "authority" }> {
  return trust.kind === "authority" ? { kind: "system" } : trust;
}
