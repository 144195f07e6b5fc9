// Step 3: identity keys of users, certificates of devices, and names of devices.
import type { Database } from "../database/database.ts";

export function identities(database: Database): void {
  database.exec(`
    -- As given at the newest log-in. It remains when that session ends.
    ALTER TABLE devices ADD COLUMN name TEXT NOT NULL DEFAULT '';
    UPDATE devices SET name = coalesce(
      (SELECT device_name FROM sessions s WHERE s.device_id = devices.device_id ORDER BY session_id DESC LIMIT 1), '');

    CREATE TABLE identities (
      user_id INTEGER PRIMARY KEY REFERENCES users,
      key BLOB NOT NULL CHECK (length(key) = 32),
      create_time INTEGER NOT NULL
    ) STRICT;

    -- signature is null if the device is not signed.
    CREATE TABLE device_keys (
      device_id INTEGER PRIMARY KEY REFERENCES devices,
      user_id INTEGER NOT NULL REFERENCES users,
      certificate BLOB NOT NULL,
      fingerprint TEXT NOT NULL,
      signature BLOB CHECK (length(signature) = 64)
    ) STRICT;
    CREATE INDEX device_keys_by_user ON device_keys (user_id, device_id);
  `);
}
