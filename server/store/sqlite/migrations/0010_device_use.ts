// Step 10: when devices were used last, so that forgotten ones can be removed. Existing ones count as used now.
import type { Database } from "../database/database.ts";

export function deviceUse(database: Database): void {
  database.exec(`
    ALTER TABLE devices ADD COLUMN last_used_time INTEGER NOT NULL DEFAULT 0;
    UPDATE devices SET last_used_time = max(create_time, unixepoch() * 1000);
    CREATE INDEX devices_by_use ON devices (last_used_time);
  `);
}
