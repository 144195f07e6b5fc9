// Identities, device certificates and peers as they stand in messages.
import type { DeviceCertificate, Identity } from "../../gen/parley/chat/v1/identity_service.ts";
import type { PeerDevice } from "../../gen/parley/chat/v1/introduction_service.ts";
import { asBuffer } from "../../rpc/bytes.ts";
import { toUser } from "../chat/users.ts";
import { formatId } from "../ids.ts";
import type { DeviceKeyRow, IdentityRow, PeerDeviceRow } from "../store/store.ts";

const nothing = Buffer.alloc(0);

export function toIdentity({ user, key, createTime }: IdentityRow): Identity {
  return { user: toUser(user), key: asBuffer(key), createTime: new Date(createTime) };
}

export function toDeviceCertificate(row: DeviceKeyRow): DeviceCertificate {
  return {
    deviceId: formatId("device", row.deviceId),
    deviceName: row.deviceName,
    certificate: asBuffer(row.certificate),
    signature: row.signature === undefined ? nothing : asBuffer(row.signature),
  };
}

export function toPeerDevice({ user, identityKey, device }: PeerDeviceRow): PeerDevice {
  return {
    user: toUser(user),
    identityKey: identityKey === undefined ? nothing : asBuffer(identityKey),
    device: toDeviceCertificate(device),
  };
}
