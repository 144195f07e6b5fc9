// What every store promises of identity keys and of the certificates of devices. It verifies no signature: whoever
// writes has done so. The general promises stand in store.ts.
import type { UserRow } from "./account-store.ts";

export interface IdentityRow {
  readonly user: UserRow;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly createTime: number;
}

export interface DeviceKeyRow {
  readonly deviceId: number;
  /** As given at the device's newest log-in. */
  readonly deviceName: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** Of the certificate's key. */
  readonly fingerprint: string;
  /** By the user's identity key; undefined: nobody vouches for the device. */
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
  /** Where the device has the private half of the user's identity key. */
  readonly identity?:
    | {
        readonly key: Uint8Array;
        readonly signature: Uint8Array;
        /** Take the place of another key. */
        readonly replace: boolean;
      }
    | undefined;
  readonly time: number;
}

export type NewDeviceKeyResult =
  | { status: "registered"; identity: IdentityRow | undefined; device: DeviceKeyRow }
  /** The user has another key, and it is not to be replaced; nothing changed. */
  | { status: "identity-taken" }
  /** The user has no such device (any more). */
  | { status: "no-device" };

export interface NewDeviceSignature {
  readonly userId: number;
  readonly deviceId: number;
  readonly signature: Uint8Array;
  /** What the signature was verified with: it is kept only while these two are what is stored. */
  readonly identityKey: Uint8Array;
  readonly fingerprint: string;
}

/** Removing a user removes these as well. */
export interface IdentityStore {
  /**
   * Sets the device's certificate, and with an identity the user's key where there is none. A signature that the device
   * has stays while its key does. To replace the identity voids the signatures of the user's other devices.
   */
  registerDevice(device: NewDeviceKey): Promise<NewDeviceKeyResult>;
  /** "changed": the identity or the device's key is another by now, and nothing was stored. */
  signDevice(signature: NewDeviceSignature): Promise<"signed" | "no-device" | "changed">;
  /** The user's devices that have a certificate, with id above `afterId`, by rising id. */
  listDevices(userId: number, afterId: number, limit: number): Promise<DeviceKeyRow[]>;
  identity(userId: number): Promise<IdentityRow | undefined>;
  /** A device with its user; undefined where it has no certificate. */
  peerDevice(deviceId: number): Promise<PeerDeviceRow | undefined>;
}
