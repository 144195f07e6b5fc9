// The operations of IdentityStore: identity keys and the certificates of devices.
import type { DeviceKeyRow, IdentityRow, IdentityStore, NewDeviceKey } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { type Operations, read, write } from "./operation.ts";

export const identityOperations: Operations<IdentityStore> = {
  registerDevice: write((database, device) => {
    const sql = "SELECT 1 FROM devices WHERE device_id = ? AND user_id = ?";
    if (database.get(sql, device.deviceId, device.userId) === undefined) return { status: "no-device" };
    if (!takeIdentity(database, device)) return { status: "identity-taken" };
    saveCertificate(database, device);
    const row = deviceOf(database, device.userId, device.deviceId);
    if (row === undefined) throw new Error("the certificate was stored, but cannot be read back");
    return { status: "registered", identity: identityOf(database, device.userId), device: row };
  }),

  signDevice: write((database, { userId, deviceId, signature, identityKey, fingerprint }) => {
    const device = deviceOf(database, userId, deviceId);
    if (device === undefined) return "no-device";
    const identity = identityOf(database, userId);
    const isSame = identity !== undefined && Buffer.compare(identity.key, identityKey) === 0;
    if (!isSame || device.fingerprint !== fingerprint) return "changed";
    database.run("UPDATE device_keys SET signature = ? WHERE device_id = ?", signature, deviceId);
    return "signed";
  }),

  listDevices: read((database, userId, afterId, limit) => {
    const sql = `${selectDevice} WHERE k.user_id = ? AND k.device_id > ? ORDER BY k.device_id LIMIT ?`;
    return database.all<DeviceColumns>(sql, userId, afterId, limit).map(deviceRow);
  }),

  identity: read((database, userId) => identityOf(database, userId)),

  peerDevice: read((database, deviceId) => {
    const row = database.get<DeviceColumns & PeerColumns>(
      `SELECT d.device_id AS deviceId, d.name AS deviceName, certificate, fingerprint, signature,
         u.user_id AS userId, username, i.key AS identityKey
       FROM device_keys k JOIN devices d USING (device_id) JOIN users u ON u.user_id = k.user_id
         LEFT JOIN identities i ON i.user_id = k.user_id
       WHERE k.device_id = ? AND removed_time IS NULL`,
      deviceId,
    );
    if (row === undefined) return undefined;
    const { userId, username, identityKey } = row;
    return { user: { userId, username }, identityKey: identityKey ?? undefined, device: deviceRow(row) };
  }),
};

/** Deletes the identity of a user who is being removed. Call it before the devices are removed. */
export function removeIdentity(database: Database, userId: number): void {
  database.run("DELETE FROM device_keys WHERE user_id = ?", userId);
  database.run("DELETE FROM identities WHERE user_id = ?", userId);
}

/** Stores the identity key, if one is given. Returns false if the user has another key, which must not be replaced. */
function takeIdentity(database: Database, { userId, identity, time }: NewDeviceKey): boolean {
  if (identity === undefined) return true;
  const before = identityOf(database, userId);
  if (before !== undefined && Buffer.compare(before.key, identity.key) === 0) return true;
  if (before !== undefined && !identity.replace) return false;
  if (before !== undefined) database.run("UPDATE device_keys SET signature = NULL WHERE user_id = ?", userId);
  database.run(
    `INSERT INTO identities (user_id, key, create_time) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET key = excluded.key, create_time = excluded.create_time`,
    userId,
    identity.key,
    time,
  );
  return true;
}

function saveCertificate(database: Database, device: NewDeviceKey): void {
  database.run(
    `INSERT INTO device_keys (device_id, user_id, certificate, fingerprint, signature) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       signature = coalesce(excluded.signature, CASE fingerprint WHEN excluded.fingerprint THEN signature END),
       certificate = excluded.certificate, fingerprint = excluded.fingerprint`,
    device.deviceId,
    device.userId,
    device.certificate,
    device.fingerprint,
    device.identity?.signature ?? null,
  );
}

function identityOf(database: Database, userId: number): IdentityRow | undefined {
  const row = database.get<{ username: string; key: Uint8Array; createTime: number }>(
    `SELECT username, key, i.create_time AS createTime FROM identities i JOIN users u USING (user_id)
     WHERE user_id = ? AND removed_time IS NULL`,
    userId,
  );
  if (row === undefined) return undefined;
  return { user: { userId, username: row.username }, key: row.key, createTime: row.createTime };
}

function deviceOf(database: Database, userId: number, deviceId: number): DeviceKeyRow | undefined {
  const sql = `${selectDevice} WHERE k.user_id = ? AND k.device_id = ?`;
  const row = database.get<DeviceColumns>(sql, userId, deviceId);
  return row && deviceRow(row);
}

interface DeviceColumns extends Record<string, unknown> {
  deviceId: number;
  deviceName: string;
  certificate: Uint8Array;
  fingerprint: string;
  signature: Uint8Array | null;
}

interface PeerColumns extends Record<string, unknown> {
  userId: number;
  username: string;
  identityKey: Uint8Array | null;
}

const selectDevice = `
  SELECT k.device_id AS deviceId, d.name AS deviceName, certificate, fingerprint, signature
  FROM device_keys k JOIN devices d USING (device_id)`;

function deviceRow({
  deviceId,
  deviceName,
  certificate,
  fingerprint,
  signature,
}: DeviceColumns): DeviceKeyRow {
  return { deviceId, deviceName, certificate, fingerprint, signature: signature ?? undefined };
}
