// Makes a device's keys where there are none, and registers its certificate, so that others can be introduced to it.
import { RpcError } from "../../../rpc/status/status.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import {
  type DeviceStatement,
  derOf,
  fingerprintOfKey,
  IdentityKey,
  isVouchedFor,
  type KeyStore,
  newDeviceKey,
  type StoredKeys,
} from "./keys.ts";

/** Who registers. */
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

/** What this device is to others. */
export interface Registered {
  /** This device's keys. */
  readonly keys: StoredKeys;
  /** Of the device's key. */
  readonly fingerprint: string;
  /** The user's identity key: the one that is here, else as the server has it; undefined while there is none. */
  readonly identityKey: Uint8Array | undefined;
  /** The identity key vouches for this device. */
  readonly signed: boolean;
  /** The identity key is here, so this device can vouch for others. */
  readonly holdsIdentity: boolean;
}

/** Keys for this device: those that are kept, or new ones. */
export async function ownKeys(store: KeyStore, deviceId: string): Promise<StoredKeys> {
  const kept = store.load();
  if (kept?.deviceId === deviceId) return kept;
  return store.saveIfNone({ deviceId, device: await newDeviceKey(), identity: kept?.identity });
}

/**
 * Registers. The user's first device makes the identity key; any other one is unsigned until that one vouches for it.
 * Safe to repeat.
 * @throws RpcError, ConnectError
 */
export async function register(calls: PrivateCalls, store: KeyStore, names: OwnNames): Promise<Registered> {
  const keys = await ownKeys(store, names.deviceId);
  const held = keys.identity === undefined ? undefined : IdentityKey.from(keys.identity);
  if (held !== undefined) {
    try {
      return await tell(calls, names, keys, held, false);
    } catch (error) {
      // Another device made a new one: this one is no longer what others know the user by.
      if (!isRefusal(error, "IDENTITY_TAKEN")) throw error;
      return tell(calls, names, keys, undefined, false);
    }
  }
  if (await hasIdentity(calls, names.username)) return tell(calls, names, keys, undefined, false);
  const first = IdentityKey.generate();
  store.saveIdentity(first.export());
  try {
    return await tell(calls, names, { ...keys, identity: first.export() }, first, false);
  } catch (error) {
    if (!isRefusal(error, "IDENTITY_TAKEN")) throw error;
    // Another device of the user was faster.
    store.saveIdentity(undefined);
    return tell(calls, names, { ...keys, identity: undefined }, undefined, false);
  }
}

/** Makes a new identity key here, in place of the user's: contacts will see that it changed. */
export async function replaceIdentity(
  calls: PrivateCalls,
  store: KeyStore,
  names: OwnNames,
): Promise<Registered> {
  const keys = await ownKeys(store, names.deviceId);
  const identity = IdentityKey.generate();
  const registered = await tell(calls, names, { ...keys, identity: identity.export() }, identity, true);
  store.saveIdentity(identity.export());
  return registered;
}

async function tell(
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
  // What is known here is not taken on the server's word.
  const identityKey = identity?.publicKey ?? answer.identity?.key;
  const signature = answer.device?.signature ?? Buffer.alloc(0);
  return {
    keys,
    fingerprint,
    identityKey,
    signed: identityKey !== undefined && isVouchedFor(identityKey, statement, signature),
    holdsIdentity: identity !== undefined,
  };
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
