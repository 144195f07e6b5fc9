// What every store promises for users, devices, sessions and invites, failed log-ins, and the record of log-ins.
// The promises for all operations are in store.ts.

// ---- log-ins: the count of failures, and the record

/** The number of consecutive failures of a key, and until when log-ins are locked for it (0: not locked). */
export interface LogInFailures {
  readonly count: number;
  readonly lockedUntil: number;
}

export type LogInOutcome =
  | "logged-in"
  | "wrong-password"
  | "locked"
  | "refused-locked"
  | "too-many-sessions"
  | "device-invalid";

export interface NewLogIn {
  /** As given by the client; there may be no such user. */
  readonly username: string;
  readonly userId: number | undefined;
  readonly deviceId: number | undefined;
  readonly client: ClientDescription;
  readonly address: string;
  readonly outcome: LogInOutcome;
  readonly time: number;
}

export interface LogInRow extends Omit<NewLogIn, "userId"> {
  readonly logInId: number;
  /** How many consecutive equal refusals the row represents, at least 1; `time` is the time of the last one. */
  readonly count: number;
  readonly firstTime: number;
}

export interface LogInStore {
  failures(key: string): Promise<LogInFailures | undefined>;
  /** Saves the failures. Above 50,000 keys, keys without a lock are dropped first, the least recently changed first. */
  saveFailures(key: string, failures: LogInFailures, time: number): Promise<void>;
  clearFailures(key: string): Promise<void>;
  /**
   * Adds a row, or raises the count of the newest row of that name if this is the same refusal again. The store keeps
   * the newest 1,000 rows of each user, and the newest 10,000 rows of all names that are not a user's.
   */
  record(logIn: NewLogIn): Promise<void>;
  /** The rows with an id below `beforeId`, in descending order: those of a user, or all. */
  listLogIns(userId: number | "everyone", beforeId: number, limit: number): Promise<LogInRow[]>;
}

// ---- users, devices, sessions, invites

export interface UserRow {
  readonly userId: number;
  readonly username: string;
}

export interface UserWithPassword extends UserRow {
  /** The hash of the password as a PHC string. */
  readonly passwordHash: string;
}

export interface NewUser {
  readonly username: string;
  /** Equal for names that look alike; see server/auth/username.ts. */
  readonly skeleton: string;
  readonly passwordHash: string;
  readonly time: number;
  /** SHA-256 of the invite to use; undefined if none is needed. */
  readonly inviteHash?: Uint8Array | undefined;
  /** Whether to refuse a name whose skeleton another user has: true for sign-up, false for an import. */
  readonly refuseLookAlike: boolean;
}

export type NewUserResult =
  | { status: "added"; user: UserRow }
  | { status: "name-taken" }
  | { status: "look-alike" }
  /** The invite is unknown, used up or expired. It is checked before the name. */
  | { status: "invite-invalid" };

export interface ClientDescription {
  readonly name: string;
  readonly version: string;
  readonly deviceName: string;
}

export interface PasswordChange {
  readonly from: string;
  readonly to: string;
  readonly keepSessionId?: number | undefined;
}

export interface NewSession {
  readonly userId: number;
  /** The hash that the password was verified against. */
  readonly passwordHash: string;
  /** A device of this user, which `deviceSecretHash` proves; undefined: create one with this hash. */
  readonly deviceId: number | undefined;
  /** SHA-256 of the device's secret. */
  readonly deviceSecretHash: Uint8Array;
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  readonly client: ClientDescription;
  /** The client's IP address, without port. */
  readonly address: string;
  readonly time: number;
  readonly expireTime: number;
}

export type NewSessionResult =
  | { status: "started"; sessionId: number; deviceId: number }
  /** The user has no such device, or its secret is another one. */
  | { status: "device-invalid" }
  /** The user's password changed after it was verified, or the user was removed. */
  | { status: "password-changed" };

export interface SessionRow {
  readonly sessionId: number;
  readonly user: UserRow;
  readonly deviceId: number;
  readonly client: ClientDescription;
  readonly address: string;
  readonly createTime: number;
  readonly lastUsedTime: number;
  readonly expireTime: number;
}

/** A removed user keeps id and name, since entries refer to them, but is not found by them. Neither is reused. */
export interface AccountStore {
  userByName(username: string): Promise<UserWithPassword | undefined>;
  /** The users with these ids, removed users included, in any order. Unknown ids are left out. */
  usersById(userIds: readonly number[]): Promise<UserRow[]>;
  /** The users by name in code point order, above `afterName`. */
  listUsers(afterName: string, limit: number): Promise<UserRow[]>;
  addUser(user: NewUser): Promise<NewUserResult>;
  /** Adds the users whose names were never used, in one transaction. Returns the names that were added. */
  importUsers(users: readonly Omit<NewUser, "inviteHash" | "refuseLookAlike">[]): Promise<string[]>;
  /** Those of the names that a user has or had. */
  knownNames(usernames: readonly string[]): Promise<string[]>;
  /**
   * Sets the password of a user whose hash is still `change.from`. If `change.keepSessionId` is given, the same
   * transaction ends all other sessions of the user.
   * @returns the ids of the sessions that ended; undefined if the hash has changed, and then nothing is stored
   */
  setPassword(userId: number, change: PasswordChange): Promise<number[] | undefined>;
  /** Makes the user an administrator, or takes that away. Returns false if there is no such user. */
  setAdministrator(username: string, isAdministrator: boolean): Promise<boolean>;
  isAdministrator(userId: number): Promise<boolean>;
  /** The administrators' names, in code point order. */
  administrators(): Promise<string[]>;
  /** Whether the user has a device with this id and secret. */
  hasDevice(userId: number, deviceId: number, secretHash: Uint8Array): Promise<boolean>;
  /** Removes the user with all sessions and devices. Returns false if there is no such user. */
  removeUser(username: string): Promise<boolean>;
  startSession(session: NewSession): Promise<NewSessionResult>;
  /** The session of this token; undefined if there is none or it has expired. */
  sessionByToken(tokenHash: Uint8Array, now: number): Promise<SessionRow | undefined>;
  /** Records that the session was used. Does nothing if it has ended. */
  touchSession(sessionId: number, lastUsedTime: number, expireTime: number): Promise<void>;
  /** The user's sessions that have not expired, with an id below `beforeId`, in descending order of id. */
  listSessions(userId: number, beforeId: number, limit: number, now: number): Promise<SessionRow[]>;
  /** Ends the session. Returns false if it is not a session of this user. */
  endSession(userId: number, sessionId: number): Promise<boolean>;
  /** Those of the sessions that still exist and have not expired. */
  validSessions(sessionIds: readonly number[], now: number): Promise<number[]>;
  /** The sessions of all users that have not expired, with an id above `afterId`, in ascending order of id. */
  liveSessions(afterId: number, limit: number, now: number): Promise<{ sessionId: number; userId: number }[]>;
  /** Adds an invite. Rejects if there is one with this hash. */
  addInvite(hash: Uint8Array, uses: number, expireTime: number, time: number): Promise<void>;
}
