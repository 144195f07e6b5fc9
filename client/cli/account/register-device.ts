// Registers the keys of a new device at its log-in, so that other users can recognise its user before a private chat.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Endpoint } from "../../link/server/endpoint.ts";
import { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { type OwnNames, register } from "../../peer/keys/registration.ts";
import type { Profile } from "../../state/profiles.ts";
import type { State } from "../../state/state.ts";

/** The names under which a profile's device is registered. */
export function namesOf({ serverId, userId, username, device }: Profile): OwnNames {
  return { serverId, userId, username, deviceId: device.deviceId };
}

/** Registers the device of a session, unless it has keys already. If this fails, the first private chat does it. */
export async function registerDevice(state: State, profile: Profile, endpoint: Endpoint): Promise<void> {
  const { profileId, device, session } = profile;
  const keys = state.keys(profileId);
  if (session === undefined || keys.load()?.deviceId === device.deviceId) return;
  try {
    await register(new PrivateCalls(endpoint, session.token), keys, namesOf(profile));
  } catch (error) {
    // The log-in has succeeded, so the command does not fail.
    if (!(error instanceof RpcError || error instanceof ConnectError)) throw error;
  }
}
