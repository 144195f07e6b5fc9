// The numbered steps that bring a database to the shape that this version needs.
import { applicationId, type Database, DatabaseRefusedError } from "./database/database.ts";
import { firstShape } from "./migrations/0001_first_shape.ts";
import { blocksAndLocks } from "./migrations/0002_blocks_and_locks.ts";
import { identities } from "./migrations/0003_identities.ts";
import { logInQuotas } from "./migrations/0004_log_in_quotas.ts";
import { mappedNames } from "./migrations/0005_mapped_names.ts";
import { indexes } from "./migrations/0006_indexes.ts";
import { namesAndTimes } from "./migrations/0007_names_and_times.ts";
import { administration } from "./migrations/0008_administration.ts";
import { head } from "./migrations/0009_head.ts";
import { deviceUse } from "./migrations/0010_device_use.ts";
import { entriesByPosition } from "./migrations/0011_entries_by_position.ts";
import { severalNodes } from "./migrations/0012_several_nodes.ts";

/** Changes the database by one version. Runs inside a transaction. */
export type Migration = (database: Database) => void;

/** Step n, counted from 1, leads from version n - 1 to n. A released step is never changed. */
const migrations: readonly Migration[] = [
  firstShape,
  blocksAndLocks,
  identities,
  logInQuotas,
  mappedNames,
  indexes,
  namesAndTimes,
  administration,
  head,
  deviceUse,
  entriesByPosition,
  severalNodes,
];

/** Runs the missing steps in one transaction. Throws DatabaseRefusedError for a database from a newer version. */
export function migrate(database: Database, file: string): void {
  checkNotNewer(database, file);
  if (versionOf(database) === migrations.length) return;
  database.transaction(() => {
    // Another process may have run some steps while this one waited for the lock.
    const missing = migrations.slice(versionOf(database));
    if (missing.length === 0) return;
    for (const step of missing) step(database);
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** For a tool that may run beside a server: makes a new database, but never changes one that a server may be using. */
export function migrateNewOnly(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > 0 && version < migrations.length) {
    throw new DatabaseRefusedError(
      `${file} is from an older version (data version ${version}, this program needs ${migrations.length}); start the server of this version once to upgrade it`,
    );
  }
  migrate(database, file);
}

function checkNotNewer(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > migrations.length) {
    throw new DatabaseRefusedError(
      `${file} is from a newer version (data version ${version}, this program supports up to ${migrations.length}); run that version or a newer one`,
    );
  }
}

function versionOf(database: Database): number {
  return Number(database.pragma("user_version"));
}
