// Users, identities, device certificates and peers in the shape of the contract's messages.
import type { DeviceCertificate, Identity } from "../../gen/parley/chat/v1/identity_service.ts";
import type { PeerDevice } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { User } from "../../gen/parley/chat/v1/user.ts";
import { asBuffer } from "../../rpc/wire/bytes.ts";
import { formatId } from "../ids.ts";
import type { DeviceKeyRow, IdentityRow, PeerDeviceRow, UserRow } from "../store/store.ts";

const nothing = Buffer.alloc(0);

export function toUser(row: UserRow): User {
  return { userId: formatId("user", row.userId), username: row.username };
}

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
