// The keys of one profile's device, on disk.
import type { DatabaseSync } from "node:sqlite";
import type { KeyStore, StoredKeys } from "../peer/keys/keys.ts";
import { transact } from "./database.ts";
import { bytes, text } from "./rows.ts";

export class DiskKeys implements KeyStore {
  readonly #db: DatabaseSync;
  readonly #profileId: number;

  constructor(db: DatabaseSync, profileId: number) {
    this.#db = db;
    this.#profileId = profileId;
  }

  load(): StoredKeys | undefined {
    const row = this.#db.prepare("SELECT * FROM device_keys WHERE profile_id = ?").get(this.#profileId);
    if (row === undefined) return undefined;
    return {
      deviceId: text(row, "device_id"),
      device: { key: text(row, "private_key"), cert: text(row, "certificate") },
      identity: row.identity_key === null ? undefined : bytes(row, "identity_key"),
    };
  }

  saveIfNone(keys: StoredKeys): StoredKeys {
    return transact(this.#db, () => {
      // Two processes may start at the same time: the key that was stored first is used.
      const before = this.load();
      if (before?.deviceId === keys.deviceId) return before;
      this.#db
        .prepare(
          `INSERT INTO device_keys (profile_id, device_id, private_key, certificate, identity_key)
           VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET device_id = excluded.device_id, private_key = excluded.private_key,
             certificate = excluded.certificate, identity_key = coalesce(excluded.identity_key, identity_key)`,
        )
        .run(this.#profileId, keys.deviceId, keys.device.key, keys.device.cert, keys.identity ?? null);
      return this.load() ?? keys;
    });
  }

  saveIdentity(identity: Uint8Array | undefined): void {
    this.#db
      .prepare("UPDATE device_keys SET identity_key = ? WHERE profile_id = ?")
      .run(identity ?? null, this.#profileId);
  }
}
