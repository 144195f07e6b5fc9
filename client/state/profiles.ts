// The profiles: the users as which this installation is logged in.
import type { DatabaseSync } from "node:sqlite";
import type { DeviceKey, Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import type { Trust } from "../../rpc/dialling/dial.ts";
import { transact } from "./database.ts";
import { RESERVED_IDS } from "./message-ids.ts";
import { integer, type Row, text, textOrNull } from "./rows.ts";
import { keyOf, nextUse, touchServer, trustOf } from "./servers.ts";

/** One user on one server, with this installation's device there. */
export interface Profile {
  readonly profileId: number;
  /** Identifies the server in this state file; the same for all of its addresses. */
  readonly serverKey: number;
  /** The address that was asked for, or else the one at which the server was used last. */
  readonly address: string;
  readonly trust: Trust;
  readonly serverId: string;
  readonly userId: string;
  readonly username: string;
  readonly device: DeviceKey;
  /** The session; undefined if the profile is logged out. */
  readonly session:
    | { readonly sessionId: string; readonly token: string; readonly expireTime: Date | undefined }
    | undefined;
}

export interface LoggedIn {
  readonly profile: Profile;
  /** The server has other data than at the last log-in. Cursors were deleted, and unsent messages are held. */
  readonly serverChanged: boolean;
  /** The former id of the server if its data was restored under a new id: the user is the same. */
  readonly formerServerId: string | undefined;
}

const selectProfile = `
  SELECT p.*, s.trust, s.fingerprint, coalesce(?1,
      (SELECT a.address FROM addresses a WHERE a.server_key = p.server_key ORDER BY a.last_used_time DESC LIMIT 1)
    ) AS address
  FROM profiles p JOIN servers s USING (server_key)
  WHERE (?1 IS NULL OR p.server_key = (SELECT a.server_key FROM addresses a WHERE a.address = ?1))
    AND (?2 IS NULL OR p.username = ?2)
  ORDER BY p.last_used_time DESC, p.profile_id DESC`;

export class Profiles {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The most recently used profile, optionally of that server and of that user. */
  find(wanted: { address?: string | undefined; username?: string | undefined } = {}): Profile | undefined {
    const row = this.#db
      .prepare(`${selectProfile} LIMIT 1`)
      .get(wanted.address ?? null, wanted.username ?? null);
    return row === undefined ? undefined : profileOf(row);
  }

  /** All profiles; the most recently used one comes first. */
  list(): Profile[] {
    return this.#db.prepare(selectProfile).all(null, null).map(profileOf);
  }

  /**
   * Stores the result of a log-in. The server must be known (`Servers.remember`). A grant without a device secret is for
   * the stored device of the profile. `keepsLogin`: a session that is stored already stays stored, and the new one is
   * only in the returned profile.
   */
  loggedIn(address: string, grant: Grant, options: { readonly keepsLogin?: boolean } = {}): LoggedIn {
    const { user, device } = grant;
    if (user === undefined || device === undefined)
      throw new Error("The server's grant names no user or no device.");
    return transact(this.#db, () => {
      const serverKey = keyOf(this.#db, address);
      if (serverKey === undefined) throw new Error(`The server at ${address} is not known.`);
      const before = this.find({ address, username: user.username });
      const sameData = before?.serverId === grant.serverId && before.userId === user.userId;
      const secret =
        device.deviceSecret !== "" ? device.deviceSecret : sameData ? before.device.deviceSecret : "";
      const granted = { sessionId: grant.sessionId, token: grant.token, expireTime: grant.expireTime };
      const stored = (options.keepsLogin === true && sameData ? before.session : undefined) ?? granted;
      this.#db
        .prepare(
          `INSERT INTO profiles (server_key, username, server_id, user_id, device_id, device_secret, session_id, token,
             token_expire_time, last_client_message_id, last_used_time)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (server_key, username) DO UPDATE SET
             server_id = excluded.server_id, user_id = excluded.user_id, device_id = excluded.device_id,
             device_secret = excluded.device_secret, session_id = excluded.session_id, token = excluded.token,
             token_expire_time = excluded.token_expire_time, last_used_time = excluded.last_used_time`,
        )
        .run(
          serverKey,
          user.username,
          grant.serverId,
          user.userId,
          device.deviceId,
          secret,
          stored.sessionId,
          stored.token,
          stored.expireTime?.getTime() ?? null,
          RESERVED_IDS,
          nextUse(this.#db),
        );
      const serverChanged = before !== undefined && !sameData;
      if (serverChanged) this.#forgetServerData(before.profileId);
      // The server recognises a repeated send by its device. With a new device it would be stored twice, so a person
      // decides.
      else if (before !== undefined && before.device.deviceId !== device.deviceId)
        this.#holdUnsent(before.profileId);
      const profile = this.find({ address, username: user.username });
      if (profile === undefined) throw new Error("The profile disappeared while it was written.");
      touchServer(this.#db, address);
      const isRestored = serverChanged && before.userId === user.userId;
      const formerServerId = isRestored ? before.serverId : undefined;
      return { profile: { ...profile, session: granted }, serverChanged, formerServerId };
    });
  }

  /**
   * Deletes the profile's session, unless another one is stored by now. The device, the cursors and the unsent messages
   * stay for the next log-in.
   */
  loggedOut({ profileId, session }: Pick<Profile, "profileId" | "session">): void {
    this.#db
      .prepare(
        `UPDATE profiles SET session_id = NULL, token = NULL, token_expire_time = NULL
         WHERE profile_id = ? AND session_id = ?`,
      )
      .run(profileId, session?.sessionId ?? "");
  }

  /** The account was deleted: ends the session as loggedOut does, and every other profile is used before this one. */
  accountDeleted(profile: Pick<Profile, "profileId" | "session">): void {
    transact(this.#db, () => {
      this.loggedOut(profile);
      this.#db.prepare("UPDATE profiles SET last_used_time = 0 WHERE profile_id = ?").run(profile.profileId);
    });
  }

  /** Deletes the device, which the server does not know any more. The next log-in gets a new one. */
  forgetDevice(profileId: number): void {
    this.#db
      .prepare("UPDATE profiles SET device_id = '', device_secret = '' WHERE profile_id = ?")
      .run(profileId);
  }

  /** Marks the profile and its server as used last. */
  use(profile: Profile): void {
    transact(this.#db, () => {
      this.#db
        .prepare("UPDATE profiles SET last_used_time = ? WHERE profile_id = ?")
        .run(nextUse(this.#db), profile.profileId);
      touchServer(this.#db, profile.address);
    });
  }

  /** Called when the profile's server has other data than before: deletes the cursors and holds the unsent messages. */
  serverChanged(profileId: number, serverId: string): void {
    transact(this.#db, () => {
      const { changes } = this.#db
        .prepare("UPDATE profiles SET server_id = ?1 WHERE profile_id = ?2 AND server_id <> ?1")
        .run(serverId, profileId);
      // Another process may have noticed it first, and may have stored cursors of the new data.
      if (changes === 0) return;
      this.#forgetServerData(profileId);
    });
  }

  #forgetServerData(profileId: number): void {
    this.#db.prepare("DELETE FROM cursors WHERE profile_id = ?").run(profileId);
    this.#holdUnsent(profileId);
  }

  #holdUnsent(profileId: number): void {
    this.#db.prepare("UPDATE unsent SET held = 1 WHERE profile_id = ?").run(profileId);
  }
}

function profileOf(row: Row): Profile {
  const token = textOrNull(row, "token");
  const expire = row.token_expire_time === null ? undefined : new Date(integer(row, "token_expire_time"));
  return {
    profileId: integer(row, "profile_id"),
    serverKey: integer(row, "server_key"),
    address: text(row, "address"),
    trust: trustOf(row),
    serverId: text(row, "server_id"),
    userId: text(row, "user_id"),
    username: text(row, "username"),
    device: { deviceId: text(row, "device_id"), deviceSecret: text(row, "device_secret") },
    session:
      token === undefined ? undefined : { sessionId: text(row, "session_id"), token, expireTime: expire },
  };
}
