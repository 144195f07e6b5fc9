// Creates a device's keys if there are none, and registers its certificate, so that other devices can be introduced
// to it.
import { RpcError } from "../../../rpc/status/status.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import {
  type DeviceStatement,
  derOf,
  fingerprintOfDer,
  fingerprintOfKey,
  IdentityKey,
  isSignedBy,
  type KeyStore,
  newDeviceKey,
  type StoredKeys,
} from "./keys.ts";

/** The user and the device of a session. */
export interface OwnNames {
  /** The id of the server's data. */
  readonly serverId: string;
  /** The user's id. */
  readonly userId: string;
  /** The user's name. */
  readonly username: string;
  /** The device's id. */
  readonly deviceId: string;
}

/** The registered keys of this device. */
export interface Registered {
  /** This device's keys. */
  readonly keys: StoredKeys;
  /** The fingerprint of the device's key. */
  readonly fingerprint: string;
  /** The user's identity key: the one on this device, else the one from the server; undefined if there is none. */
  readonly identityKey: Uint8Array | undefined;
  /** The identity key signs this device's key. */
  readonly signed: boolean;
  /** This device has the private identity key, so it can sign other devices. */
  readonly holdsIdentity: boolean;
}

/** The stored keys of this device, or new ones if there are none. */
export async function ownKeys(store: KeyStore, deviceId: string): Promise<StoredKeys> {
  const kept = store.load();
  if (kept?.deviceId === deviceId) return kept;
  return store.saveIfNone({ deviceId, device: await newDeviceKey(), identity: kept?.identity });
}

/**
 * Registers this device. The user's first device creates the identity key; other devices are unsigned until the first
 * one signs them. It is safe to repeat.
 * @throws RpcError, ConnectError
 */
export async function register(calls: PrivateCalls, store: KeyStore, names: OwnNames): Promise<Registered> {
  const keys = await ownKeys(store, names.deviceId);
  const identity = keys.identity === undefined ? undefined : IdentityKey.from(keys.identity);
  if (identity !== undefined) {
    try {
      return await registerDevice(calls, names, keys, identity, false);
    } catch (error) {
      // Another device has replaced the identity key, so the one on this device is no longer valid.
      if (!isRefusal(error, "IDENTITY_TAKEN")) throw error;
      return registerDevice(calls, names, keys, undefined, false);
    }
  }
  if (await hasIdentity(calls, names.username)) return registerDevice(calls, names, keys, undefined, false);
  const first = IdentityKey.generate();
  store.saveIdentity(first.export());
  try {
    return await registerDevice(calls, names, { ...keys, identity: first.export() }, first, false);
  } catch (error) {
    if (!isRefusal(error, "IDENTITY_TAKEN")) throw error;
    // Another device of the user registered an identity key first.
    store.saveIdentity(undefined);
    return registerDevice(calls, names, { ...keys, identity: undefined }, undefined, false);
  }
}

/** Creates a new identity key on this device, in place of the user's. Contacts will see that the key has changed. */
export async function replaceIdentity(
  calls: PrivateCalls,
  store: KeyStore,
  names: OwnNames,
): Promise<Registered> {
  const keys = await ownKeys(store, names.deviceId);
  const identity = IdentityKey.generate();
  const registered = await registerDevice(
    calls,
    names,
    { ...keys, identity: identity.export() },
    identity,
    true,
  );
  store.saveIdentity(identity.export());
  return registered;
}

async function registerDevice(
  calls: PrivateCalls,
  names: OwnNames,
  keys: StoredKeys,
  identity: IdentityKey | undefined,
  replace: boolean,
): Promise<Registered> {
  const fingerprint = fingerprintOfKey(keys.device);
  const statement: DeviceStatement = { ...names, fingerprint };
  const answer = await calls.registerDeviceKey({
    certificate: Buffer.from(derOf(keys.device)),
    identityKey: Buffer.from(identity?.publicKey ?? []),
    signature: Buffer.from(identity?.sign(statement) ?? []),
    replaceIdentity: replace,
  });
  // The server's values are used only if this device has none.
  const identityKey = identity?.publicKey ?? answer.identity?.key;
  const signature = answer.device?.signature ?? Buffer.alloc(0);
  return {
    keys,
    fingerprint,
    identityKey,
    signed: identityKey !== undefined && isSignedBy(identityKey, statement, signature),
    holdsIdentity: identity !== undefined,
  };
}

/**
 * Signs the devices of the user anew, after the data of the server was restored under a new id: those that the identity
 * key of this device had signed under the former id. A person has agreed to these, and user, device and key are the same.
 * @throws RpcError, ConnectError
 */
export async function signAnew(
  calls: PrivateCalls,
  { keys }: Pick<Registered, "keys">,
  names: OwnNames,
  formerServerId: string,
): Promise<void> {
  if (keys.identity === undefined) return;
  const identity = IdentityKey.from(keys.identity);
  for (const { deviceId, certificate, signature } of (await calls.listDeviceKeys()).devices) {
    const fingerprint = fingerprintOfDer(certificate);
    if (fingerprint === undefined) continue;
    const statement = { ...names, deviceId, fingerprint };
    if (isSignedBy(identity.publicKey, { ...statement, serverId: formerServerId }, signature))
      await calls.signDeviceKey(deviceId, identity.sign(statement));
  }
}

/** Whether the server refused a signature: it has another id than this device knows, as after a restore. */
export function isForOtherServer(error: unknown): boolean {
  return isRefusal(error, "INVALID_FIELD") && error instanceof RpcError && error.field === "signature";
}

async function hasIdentity(calls: PrivateCalls, username: string): Promise<boolean> {
  try {
    await calls.getIdentity(username);
    return true;
  } catch (error) {
    if (isRefusal(error, "IDENTITY_NOT_FOUND")) return false;
    throw error;
  }
}

function isRefusal(error: unknown, reason: string): boolean {
  return error instanceof RpcError && error.reason === reason;
}
