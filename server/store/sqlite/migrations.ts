// The numbered steps that bring a database to this version's shape, each in one transaction.
import { applicationId, type Database, DatabaseRefusedError } from "./database/database.ts";
import { firstShape } from "./migrations/0001_first_shape.ts";
import { blocksAndLocks } from "./migrations/0002_blocks_and_locks.ts";
import { identities } from "./migrations/0003_identities.ts";

/** Changes the database by one version; runs inside a transaction. */
export type Migration = (database: Database) => void;

/** Step n (from 1) leads from version n - 1 to n. Released steps are never edited. */
const migrations: readonly Migration[] = [firstShape, blocksAndLocks, identities];

/** Runs the missing steps. Throws DatabaseRefusedError for a database from a newer version. */
export function migrate(database: Database, file: string): void {
  checkNotNewer(database, file);
  for (const [index, step] of migrations.entries()) {
    if (versionOf(database) > index) continue;
    database.transaction(() => {
      // Another process may have been faster while this one waited for the lock.
      if (versionOf(database) > index) return;
      step(database);
      database.exec(`PRAGMA application_id = ${applicationId}`);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** For a tool beside a server that may be running: makes a new database, but never changes one under a server. */
export function migrateNewOnly(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > 0 && version < migrations.length) {
    throw new DatabaseRefusedError(
      `${file} is from an older version (data version ${version}, this program's is ${migrations.length}); start the server of this version once, it brings the data up to date`,
    );
  }
  migrate(database, file);
}

function checkNotNewer(database: Database, file: string): void {
  const version = versionOf(database);
  if (version > migrations.length) {
    throw new DatabaseRefusedError(
      `${file} is from a newer version (data version ${version}, this program knows up to ${migrations.length}); run that version, or a newer one`,
    );
  }
}

function versionOf(database: Database): number {
  return Number(database.pragma("user_version"));
}
