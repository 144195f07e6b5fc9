// The operations of AccountStore on the devices of a user.

import type { AccountStore, DeviceRow } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { type Operations, read, write } from "./operation.ts";

interface DeviceColumns extends Record<string, unknown> {
  deviceId: number;
  name: string;
  createTime: number;
  lastUsedTime: number | null;
  sessions: number;
  hasCertificate: number;
}

export const deviceOperations: Operations<Pick<AccountStore, "listUserDevices" | "removeDevice">> = {
  listUserDevices: read((database, userId, beforeId, limit, now) => {
    const rows = database.all<DeviceColumns>(
      `SELECT device_id AS deviceId, name, create_time AS createTime,
         (SELECT max(last_used_time) FROM sessions s WHERE s.device_id = d.device_id AND expire_time > ?4)
           AS lastUsedTime,
         (SELECT count(*) FROM sessions s WHERE s.device_id = d.device_id AND expire_time > ?4) AS sessions,
         EXISTS (SELECT 1 FROM device_keys k WHERE k.device_id = d.device_id) AS hasCertificate
       FROM devices d WHERE user_id = ?1 AND device_id < ?2 ORDER BY device_id DESC LIMIT ?3`,
      userId,
      beforeId,
      limit,
      now,
    );
    return rows.map(
      ({ lastUsedTime, hasCertificate, ...row }): DeviceRow => ({
        ...row,
        lastUsedTime: lastUsedTime ?? undefined,
        hasCertificate: hasCertificate !== 0,
      }),
    );
  }),

  removeDevice: write((database, userId, deviceId) => {
    const own = "SELECT 1 FROM devices WHERE device_id = ? AND user_id = ?";
    if (database.get(own, deviceId, userId) === undefined) return undefined;
    const ended = database.all<{ sessionId: number }>(
      "DELETE FROM sessions WHERE device_id = ? RETURNING session_id AS sessionId",
      deviceId,
    );
    deleteDevice(database, deviceId);
    return ended.map(({ sessionId }) => sessionId);
  }),
};

/** A device with which a user logged in within this time is a known device, which locks spare, ms. */
const UNUSED_MS = 400 * 24 * 60 * 60_000;
/** How many devices one log-in removes: more than it adds. */
const REMOVED_AT_A_TIME = 10;

/** Removes some of the devices that were not used for 400 days and have no valid session. */
export function removeUnusedDevices(database: Database, now: number): void {
  const unused = database.all<{ deviceId: number }>(
    `SELECT device_id AS deviceId FROM devices d WHERE last_used_time < ?1
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.device_id = d.device_id AND expire_time > ?2)
     ORDER BY last_used_time LIMIT ${REMOVED_AT_A_TIME}`,
    now - UNUSED_MS,
    now,
  );
  for (const { deviceId } of unused) {
    database.run("DELETE FROM sessions WHERE device_id = ?", deviceId);
    deleteDevice(database, deviceId);
  }
}

/** The device must have no session. */
function deleteDevice(database: Database, deviceId: number): void {
  database.run("DELETE FROM device_keys WHERE device_id = ?", deviceId);
  database.run("DELETE FROM devices WHERE device_id = ?", deviceId);
}
