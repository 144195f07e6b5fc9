// Step 8: disabled users, bots, password resets, known devices, and the record of administration.
import type { Database } from "../database/database.ts";

export function administration(database: Database): void {
  database.exec(`
    -- Null if the user can log in.
    ALTER TABLE users ADD COLUMN disabled_time INTEGER;
    ALTER TABLE users ADD COLUMN bot INTEGER NOT NULL DEFAULT 0 CHECK (bot IN (0, 1));

    -- 0 from a change of the password until the next log-in on the device. Only known devices are spared by locks.
    ALTER TABLE devices ADD COLUMN known INTEGER NOT NULL DEFAULT 1 CHECK (known IN (0, 1));

    CREATE TABLE password_resets (
      user_id INTEGER PRIMARY KEY REFERENCES users,
      hash BLOB NOT NULL UNIQUE,
      expire_time INTEGER NOT NULL
    ) STRICT;

    -- administrator_id is null for the operator on the server's machine.
    CREATE TABLE admin_actions (
      action_id INTEGER PRIMARY KEY AUTOINCREMENT,
      time INTEGER NOT NULL,
      administrator_id INTEGER REFERENCES users,
      address TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL
    ) STRICT;
  `);
}
