// Counts the rows that share a quota, so that a bounded table is kept to its bound without counting its rows.
import type { Database } from "../database/database.ts";

/** Adds to the number of rows of a quota. @returns the number afterwards */
export function addToTotal(database: Database, quota: string, rows: number): number {
  const total =
    database.get<{ total: number }>(
      `INSERT INTO row_totals (quota, total) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET total = total + excluded.total RETURNING total`,
      quota,
      rows,
    )?.total ?? 0;
  if (total <= 0) database.run("DELETE FROM row_totals WHERE quota = ?", quota);
  return total;
}
