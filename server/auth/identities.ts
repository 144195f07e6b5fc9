// The rules for identity keys and device certificates: who may register one, and which key may sign a device.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { DeviceKeyRow, IdentityRow, IdentityStore, PeerDeviceRow, SessionRow } from "../store/store.ts";
import { checkCertificate, isSigned } from "./device-keys.ts";

export interface DeviceRegistration {
  /** The X.509 certificate, in DER. */
  readonly certificate: Uint8Array;
  /** The user's identity key; empty, or given together with `signature`. */
  readonly identityKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly replaceIdentity: boolean;
}

export class Identities {
  readonly #store: IdentityStore;
  readonly #serverId: string;
  readonly #clock: Clock;

  constructor(store: IdentityStore, serverId: string, clock: Clock = systemClock) {
    this.#store = store;
    this.#serverId = serverId;
    this.#clock = clock;
  }

  /** @throws Refusal INVALID_FIELD, IDENTITY_TAKEN, DEVICE_NOT_FOUND */
  async register(
    { user, deviceId }: SessionRow,
    registration: DeviceRegistration,
  ): Promise<{ identity: IdentityRow | undefined; device: DeviceKeyRow }> {
    const { certificate, identityKey: key, signature, replaceIdentity: replace } = registration;
    const checked = checkCertificate(certificate);
    if (!checked.ok) throw invalid("certificate", checked.problem);
    const { fingerprint } = checked;
    const isFirst = key.length > 0;
    if (isFirst && key.length !== limits.identityKeyBytes) {
      throw invalid("identity_key", `An identity key has ${limits.identityKeyBytes} bytes.`);
    }
    if (!isFirst && replace) throw invalid("identity_key", "To replace the identity key, send the new one.");
    if (!isFirst && signature.length > 0)
      throw invalid("signature", "Send a signature only together with an identity key.");
    const statement = { serverId: this.#serverId, userId: user.userId, deviceId, fingerprint };
    if (isFirst && !isSigned(statement, key, signature)) throw notSigned();
    const result = await this.#store.registerDevice({
      userId: user.userId,
      deviceId,
      certificate,
      fingerprint,
      identity: isFirst ? { key, signature, replace } : undefined,
      time: this.#clock.now(),
    });
    if (result.status === "identity-taken") {
      throw new Refusal(Reason.IDENTITY_TAKEN, { field: "identity_key" });
    }
    if (result.status === "no-device") throw new Refusal(Reason.DEVICE_NOT_FOUND);
    return result;
  }

  /** @throws Refusal DEVICE_NOT_FOUND, INVALID_FIELD */
  async sign(userId: number, deviceId: number | undefined, signature: Uint8Array): Promise<DeviceKeyRow> {
    const peer = deviceId === undefined ? undefined : await this.#store.peerDevice(deviceId);
    if (peer === undefined || peer.user.userId !== userId) throw noDevice();
    const { device, identityKey } = peer;
    const { fingerprint } = device;
    const statement = { serverId: this.#serverId, userId, deviceId: device.deviceId, fingerprint };
    if (identityKey === undefined || !isSigned(statement, identityKey, signature)) throw notSigned();
    const signed = { userId, deviceId: device.deviceId, signature, identityKey, fingerprint };
    switch (await this.#store.signDevice(signed)) {
      case "signed":
        return { ...device, signature };
      case "no-device":
        throw noDevice();
      case "changed":
        throw notSigned();
    }
  }

  /** The device with its certificate and its user's identity key. @throws Refusal DEVICE_KEY_MISSING */
  async ownDevice(deviceId: number): Promise<PeerDeviceRow> {
    const device = await this.#store.peerDevice(deviceId);
    if (device === undefined) throw new Refusal(Reason.DEVICE_KEY_MISSING);
    return device;
  }
}

function invalid(field: string, message: string): Refusal {
  return new Refusal(Reason.INVALID_FIELD, { field, message });
}

function notSigned(): Refusal {
  return invalid("signature", "This is not a signature of the device's key by the identity key.");
}

function noDevice(): Refusal {
  return new Refusal(Reason.DEVICE_NOT_FOUND, { field: "device_id" });
}
