// The devices of one user: which of them the identity key vouches for, and vouching for one more.
import type { DeviceCertificate } from "../../../gen/parley/chat/v1/identity_service.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { fingerprintOfDer, IdentityKey, isVouchedFor } from "./keys.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** A device of the user, with its key. */
export interface DeviceWithKey {
  /** As the server has it. */
  readonly certificate: DeviceCertificate;
  /** Of the device's key. */
  readonly fingerprint: string;
  /** The identity key vouches for it. */
  readonly signed: boolean;
}

/** The login whose devices they are; PrivateChats is one. */
export interface KeyOwner {
  /** The calls of the log-in. */
  readonly calls: PrivateCalls;
  /** Whose device this is. */
  readonly names: OwnNames;
}

/** The user's devices that have a key. @throws RpcError, ConnectError */
export async function listDevices({ calls, names }: KeyOwner): Promise<{
  /** The user's identity key, as the server has it. */
  readonly identityKey: Uint8Array | undefined;
  /** In the order in which they were made. */
  readonly devices: readonly DeviceWithKey[];
}> {
  const { identity, devices } = await calls.listDeviceKeys();
  const identityKey = identity?.key;
  return {
    identityKey,
    devices: devices.flatMap((certificate): DeviceWithKey[] => {
      const fingerprint = fingerprintOfDer(certificate.certificate);
      if (fingerprint === undefined) return [];
      const statement = { ...names, deviceId: certificate.deviceId, fingerprint };
      const signed = identityKey !== undefined && isVouchedFor(identityKey, statement, certificate.signature);
      return [{ certificate, fingerprint, signed }];
    }),
  };
}

/** Vouches for a device whose key a person has compared. @throws RpcError, ConnectError; Error where the key is not here */
export async function signDevice(
  { calls, names }: KeyOwner,
  own: Registered,
  device: DeviceWithKey,
): Promise<void> {
  if (own.keys.identity === undefined) throw new Error("The identity key is not on this device.");
  const { deviceId } = device.certificate;
  const statement = { ...names, deviceId, fingerprint: device.fingerprint };
  await calls.signDeviceKey(deviceId, IdentityKey.from(own.keys.identity).sign(statement));
}
