// Step 9: whether the head file beside the database was made, so that the server notices when it is missing.
import type { Database } from "../database/database.ts";

export function head(database: Database): void {
  database.exec(
    "ALTER TABLE server ADD COLUMN has_head INTEGER NOT NULL DEFAULT 0 CHECK (has_head IN (0, 1))",
  );
}
