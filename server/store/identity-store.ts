// What every store promises for identity keys and the certificates of devices.
// The store verifies no signature: the caller does. The promises for all operations are in store.ts.
import type { UserRow } from "./account-store.ts";

export interface IdentityRow {
  readonly user: UserRow;
  /** The public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly createTime: number;
}

export interface DeviceKeyRow {
  readonly deviceId: number;
  /** The name that was given at the device's newest log-in. */
  readonly deviceName: string;
  /** The X.509 certificate, in DER. */
  readonly certificate: Uint8Array;
  /** The fingerprint of the certificate's key. */
  readonly fingerprint: string;
  /** The signature by the user's identity key; undefined if the device is not signed. */
  readonly signature: Uint8Array | undefined;
}

export interface PeerDeviceRow {
  readonly user: UserRow;
  readonly identityKey: Uint8Array | undefined;
  readonly device: DeviceKeyRow;
}

export interface NewDeviceKey {
  readonly userId: number;
  readonly deviceId: number;
  readonly certificate: Uint8Array;
  readonly fingerprint: string;
  /** The user's identity key, given by a device that has its private half. */
  readonly identity?:
    | {
        readonly key: Uint8Array;
        readonly signature: Uint8Array;
        /** Whether the key may replace another one. */
        readonly replace: boolean;
      }
    | undefined;
  readonly time: number;
}

export type NewDeviceKeyResult =
  | { status: "registered"; identity: IdentityRow | undefined; device: DeviceKeyRow }
  /** The user has another key, and `replace` is false. Nothing changed. */
  | { status: "identity-taken" }
  /** The user has no such device. */
  | { status: "no-device" };

export interface NewDeviceSignature {
  readonly userId: number;
  readonly deviceId: number;
  readonly signature: Uint8Array;
  /** The identity key that the signature was verified with. It and the fingerprint must still be the stored ones. */
  readonly identityKey: Uint8Array;
  readonly fingerprint: string;
}

/** Removing a user also removes these rows. */
export interface IdentityStore {
  /**
   * Sets the device's certificate, and the user's identity key if one is given and the user has none. The device keeps
   * its signature if the certificate's key is the same. Replacing the identity key voids the signatures of the user's
   * other devices.
   */
  registerDevice(device: NewDeviceKey): Promise<NewDeviceKeyResult>;
  /** "changed": the identity key or the device's key has changed, and nothing was stored. */
  signDevice(signature: NewDeviceSignature): Promise<"signed" | "no-device" | "changed">;
  /** The user's devices that have a certificate and a device id above `afterId`, in ascending order of device id. */
  listDevices(userId: number, afterId: number, limit: number): Promise<DeviceKeyRow[]>;
  /** The user's identity key; undefined if the user has none, or was removed. */
  identity(userId: number): Promise<IdentityRow | undefined>;
  /** A device with its user; undefined if it has no certificate. */
  peerDevice(deviceId: number): Promise<PeerDeviceRow | undefined>;
}
