// Lists the devices of one user and whether the identity key signs them, and signs another one.
import type { DeviceCertificate } from "../../../gen/parley/chat/v1/identity_service.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { fingerprintOfDer, IdentityKey, isSignedBy } from "./keys.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** A device of the user that has a key. */
export interface DeviceWithKey {
  /** The certificate from the server. */
  readonly certificate: DeviceCertificate;
  /** The fingerprint of the device's key. */
  readonly fingerprint: string;
  /** The identity key signs the device's key. */
  readonly signed: boolean;
}

/** The user's session, of which these functions need two parts; a `PrivateChats` has both. */
export interface KeyOwner {
  /** The calls of the session. */
  readonly calls: PrivateCalls;
  /** The user and the device. */
  readonly names: OwnNames;
}

/** The user's identity key and the user's devices that have a key. @throws RpcError, ConnectError */
export async function listDevices({ calls, names }: KeyOwner): Promise<{
  /** The user's identity key, from the server. */
  readonly identityKey: Uint8Array | undefined;
  /** In the order of their creation. */
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
      const signed = identityKey !== undefined && isSignedBy(identityKey, statement, certificate.signature);
      return [{ certificate, fingerprint, signed }];
    }),
  };
}

/**
 * Signs a device after a person has compared its code.
 * @throws RpcError, ConnectError; Error if the identity key is on another device
 */
export async function signDevice(
  { calls, names }: KeyOwner,
  own: Registered,
  device: DeviceWithKey,
): Promise<void> {
  if (own.keys.identity === undefined) throw new Error("This device does not have the identity key.");
  const { deviceId } = device.certificate;
  const statement = { ...names, deviceId, fingerprint: device.fingerprint };
  await calls.signDeviceKey(deviceId, IdentityKey.from(own.keys.identity).sign(statement));
}
