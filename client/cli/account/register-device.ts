// Registers the keys of a new device at its log-in, so that other users can recognise its user before a private chat.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Endpoint } from "../../link/server/endpoint.ts";
import { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { type OwnNames, register, signAnew } from "../../peer/keys/registration.ts";
import type { Profile } from "../../state/profiles.ts";
import type { State } from "../../state/state.ts";

/** The names under which a profile's device is registered. */
export function namesOf({ serverId, userId, username, device }: Profile): OwnNames {
  return { serverId, userId, username, deviceId: device.deviceId };
}

/**
 * Registers the device of a session, unless it has keys already. If this fails, the first private chat does it.
 * @param formerServerId the former id of the server, if its data was restored under a new id: the identity key on this
 *   device then signs the user's devices anew. If this fails, nothing repeats it, and the user has to sign the other
 *   devices with `devices sign`
 */
export async function registerDevice(
  state: State,
  profile: Profile,
  endpoint: Endpoint,
  formerServerId: string | undefined,
): Promise<void> {
  const { profileId, device, session } = profile;
  const keys = state.keys(profileId);
  if (session === undefined) return;
  if (keys.load()?.deviceId === device.deviceId && formerServerId === undefined) return;
  const calls = new PrivateCalls(endpoint, session.token);
  const names = namesOf(profile);
  try {
    const registered = await register(calls, keys, names);
    if (formerServerId !== undefined) await signAnew(calls, registered, names, formerServerId);
  } catch (error) {
    // The log-in has succeeded, so the command does not fail.
    if (!(error instanceof RpcError || error instanceof ConnectError)) throw error;
  }
}
