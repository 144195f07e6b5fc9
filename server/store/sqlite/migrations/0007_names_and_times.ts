// Step 7: names of users in a form for searches, and the times at which markers rose.
import type { Database } from "../database/database.ts";
import { searchKey } from "../search-key.ts";

export function namesAndTimes(database: Database): void {
  database.exec("ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT ''");
  for (const { id, name } of database.all<{ id: number; name: string }>(
    "SELECT user_id AS id, username AS name FROM users",
  )) {
    database.run("UPDATE users SET search_key = ? WHERE user_id = ?", searchKey(name), id);
  }
  database.exec(`
    CREATE INDEX users_by_search_key ON users (search_key, username);

    -- When the values last rose, in ms since 1970; 0 if it is not known. The shown times belong to the shown values.
    ALTER TABLE participants ADD COLUMN delivered_time INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE participants ADD COLUMN read_time INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE participants ADD COLUMN shown_delivered_time INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE participants ADD COLUMN shown_read_time INTEGER NOT NULL DEFAULT 0;
  `);
}
