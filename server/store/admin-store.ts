// What every store promises for the administration of users and invites. The promises for all operations are in store.ts.

/** Who administers: an administrator from a client, or the operator on the server's machine. */
export interface Administering {
  /** The administrator; undefined for the operator. */
  readonly userId: number | undefined;
  /** The administrator's network address, without port; "" for the operator. */
  readonly address: string;
  readonly time: number;
}

export type AdminActionKind =
  | "add-user"
  | "add-bot"
  | "remove-user"
  | "promote"
  | "demote"
  | "disable"
  | "enable"
  | "unlock"
  | "log-out"
  | "reset"
  | "new-bot-token"
  | "create-invite"
  | "revoke-invite";

/** A change that was made, in the record of administration. */
export interface AdminActionRow {
  readonly actionId: number;
  readonly time: number;
  /** The name of the administrator; undefined for the operator. */
  readonly administrator: string | undefined;
  readonly address: string;
  readonly action: AdminActionKind;
  /** The name of the user or the id of the invite that the change concerned. */
  readonly subject: string;
}

export interface AccountRow {
  readonly userId: number;
  readonly username: string;
  readonly createTime: number;
  readonly isAdministrator: boolean;
  readonly isBot: boolean;
  /** Since when the user cannot log in; undefined if the user can. */
  readonly disabledTime: number | undefined;
}

/** The session that a bot's token stands for. */
export interface BotSession {
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  /** SHA-256 of the secret of the bot's device, which is random and not kept. */
  readonly deviceSecretHash: Uint8Array;
  readonly expireTime: number;
}

export interface InviteRow {
  /** The first bytes of the invite's hash, as hexadecimal digits. The invite cannot be computed from it. */
  readonly inviteId: string;
  readonly usesLeft: number;
  readonly createTime: number;
  readonly expireTime: number;
}

/** A valid password reset. */
export interface PasswordReset {
  readonly userId: number;
  readonly username: string;
  readonly isDisabled: boolean;
}

export interface NewPassword {
  /** SHA-256 of the reset's secret. */
  readonly resetHash: Uint8Array;
  readonly passwordHash: string;
  readonly time: number;
}

/**
 * Every operation that changes something and takes `by` adds a row to the record of administration in the same
 * transaction. The store keeps the newest 10,000 rows. Operations on a name find only users who are not removed.
 */
export interface AdminStore {
  /** The users with a name above `afterName`, by name in code point order. */
  listAccounts(afterName: string, limit: number): Promise<AccountRow[]>;
  account(username: string): Promise<AccountRow | undefined>;
  /**
   * Disables the user, which ends all sessions, or enables the user again. A user who is disabled already stays so from
   * the same time.
   * @returns the number of sessions that ended; undefined if there is no such user
   */
  setDisabled(username: string, isDisabled: boolean, by: Administering): Promise<number | undefined>;
  /** Ends all sessions of the user. Returns their number; undefined if there is no such user. */
  endSessions(username: string, by: Administering): Promise<number | undefined>;
  /**
   * Ends the lock on log-ins of the name and of the user's devices, and forgets the failures. Returns false if there is
   * no such user.
   */
  unlock(username: string, by: Administering): Promise<boolean>;
  /** Replaces the only session of a bot. Returns false if there is no such bot. */
  replaceBotSession(username: string, session: BotSession, by: Administering): Promise<boolean>;
  /** Adds a password reset of the user, which replaces an earlier one. Returns false if there is no such user. */
  addReset(username: string, hash: Uint8Array, expireTime: number, by: Administering): Promise<boolean>;
  /** The user of an unexpired reset. */
  reset(hash: Uint8Array, now: number): Promise<PasswordReset | undefined>;
  /**
   * Uses up the reset: sets the password, ends all sessions and locks of the user, and makes all devices unknown.
   * @returns the number of sessions that ended; undefined if the reset is unknown, used or expired, or the user disabled
   */
  useReset(change: NewPassword): Promise<number | undefined>;
  /** The unexpired invites with an id above `afterId`, in ascending order of id. */
  listInvites(afterId: string, limit: number, now: number): Promise<InviteRow[]>;
  /** Removes the invite. Returns false if there is no such unexpired invite. */
  revokeInvite(inviteId: string, by: Administering): Promise<boolean>;
  /** The record of administration: rows with an id below `beforeId`, in descending order of id. */
  listActions(beforeId: number, limit: number): Promise<AdminActionRow[]>;
}
