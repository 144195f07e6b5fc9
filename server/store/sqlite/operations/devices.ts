// The operations of AccountStore on the devices of a user.
import type { AccountStore, DeviceRow } from "../../store.ts";
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
    database.run("DELETE FROM device_keys WHERE device_id = ?", deviceId);
    database.run("DELETE FROM devices WHERE device_id = ?", deviceId);
    return ended.map(({ sessionId }) => sessionId);
  }),
};
