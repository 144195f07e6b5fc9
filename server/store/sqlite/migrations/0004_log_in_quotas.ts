// Step 4: quotas of the record of log-ins, the number of locks in a row, and counters that make both bounds cheap.
import type { Database } from "../database/database.ts";

export function logInQuotas(database: Database): void {
  database.exec(`
    -- The rows that share a quota: see operations/log-ins.ts. network is the address, or the /64 of an IPv6 address.
    ALTER TABLE log_ins ADD COLUMN network TEXT NOT NULL DEFAULT '';
    ALTER TABLE log_ins ADD COLUMN quota TEXT NOT NULL DEFAULT '';
    UPDATE log_ins SET network = address, quota = CASE
      WHEN user_id IS NULL THEN 'unknown:' || address
      WHEN outcome IN ('wrong-password', 'locked', 'refused-locked') THEN 'refused:' || user_id
      ELSE 'verified:' || user_id END;
    CREATE INDEX log_ins_by_quota ON log_ins (quota, log_in_id);
    DROP INDEX log_ins_by_name;
    CREATE INDEX log_ins_by_attempt ON log_ins (username, network, outcome, log_in_id);

    -- Locks in a row.
    ALTER TABLE log_in_failures ADD COLUMN locks INTEGER NOT NULL DEFAULT 0;
    UPDATE log_in_failures SET locks = 1 WHERE locked_until > 0;

    -- The number of rows of each quota, so that keeping a bound needs no count.
    CREATE TABLE row_totals (
      quota TEXT PRIMARY KEY,
      total INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO row_totals SELECT quota, count(*) FROM log_ins GROUP BY quota;
    INSERT INTO row_totals SELECT 'unknown', count(*) FROM log_ins WHERE user_id IS NULL;
    INSERT INTO row_totals SELECT 'failures', count(*) FROM log_in_failures;
  `);
}
