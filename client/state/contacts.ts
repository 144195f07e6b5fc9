// The stored keys of other users, for one profile, on disk.
import type { DatabaseSync } from "node:sqlite";
import type { Contact, ContactStore } from "../peer/keys/contacts.ts";
import { bytes, integer, type Row, text } from "./rows.ts";

export class DiskContacts implements ContactStore {
  readonly #db: DatabaseSync;
  readonly #profileId: number;

  constructor(db: DatabaseSync, profileId: number) {
    this.#db = db;
    this.#profileId = profileId;
  }

  get(username: string): Contact | undefined {
    const row = this.#db
      .prepare("SELECT * FROM contacts WHERE profile_id = ? AND username = ?")
      .get(this.#profileId, username);
    return row && contactOf(row);
  }

  save(contact: Contact): void {
    const { username, userId, identityKey, since, verified, acceptedDevices, always } = contact;
    this.#db
      .prepare(
        `INSERT INTO contacts (profile_id, username, user_id, identity_key, since_time, verified, accepted_devices,
           always, shown_code, stopped_device, seen_devices)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET user_id = excluded.user_id, identity_key = excluded.identity_key,
           since_time = excluded.since_time, verified = excluded.verified,
           accepted_devices = excluded.accepted_devices, always = excluded.always,
           shown_code = excluded.shown_code, stopped_device = excluded.stopped_device,
           seen_devices = excluded.seen_devices`,
      )
      .run(
        this.#profileId,
        username,
        userId,
        identityKey,
        since.getTime(),
        verified ? 1 : 0,
        JSON.stringify(acceptedDevices),
        always,
        contact.shownCode ?? null,
        contact.stoppedDevice ?? null,
        contact.seenDevices === undefined ? null : JSON.stringify(contact.seenDevices),
      );
  }
}

function contactOf(row: Row): Contact {
  const always = text(row, "always");
  return {
    userId: text(row, "user_id"),
    username: text(row, "username"),
    identityKey: bytes(row, "identity_key"),
    since: new Date(integer(row, "since_time")),
    verified: integer(row, "verified") === 1,
    acceptedDevices: JSON.parse(text(row, "accepted_devices")) as string[],
    always: always === "direct" || always === "relay" ? always : "ask",
    ...(row.shown_code === null ? {} : { shownCode: text(row, "shown_code") }),
    ...(row.stopped_device === null ? {} : { stoppedDevice: text(row, "stopped_device") }),
    ...(row.seen_devices === null ? {} : { seenDevices: JSON.parse(text(row, "seen_devices")) as string[] }),
  };
}
